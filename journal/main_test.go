package journal

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childEnv makes this test binary run as one of the processes that tests start.
const childEnv = "WATCHHOUSE_JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	children := map[string]func() error{"append": childAppend, "nospace": childNoSpace, "filelimit": childFileLimit, "reserve": childReserve, "startfull": childStartFull, "open": childOpen, "lives": childLives, "fill": childFill}
	if run, ok := children[os.Getenv(childEnv)]; ok {
		if err := run(); err != nil {
			panic(err)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
