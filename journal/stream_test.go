package journal

import (
	"runtime"
	"testing"
)

// A reader that polls a stream from its end while records are being committed sees them or nothing yet, never an error.
func TestStreamIsListedWhileItGrows(t *testing.T) {
	s := openTest(t, testConfig(t)).Stream("rejects")
	const records = 2000
	go func() {
		for n := range uint64(records) {
			s.Add(int64(n), []byte(`{}`))
			for s.Last()+s.Dropped() <= n { // a commit each
				runtime.Gosched()
			}
		}
	}()
	seen := uint64(0)
	for seen+s.Dropped() < records {
		list, err := s.List(t.Context(), seen+1, 100)
		if err != nil {
			t.Fatalf("after %d records: %v", seen, err)
		}
		for _, r := range list {
			if r.N != seen+1 {
				t.Fatalf("record %d follows %d", r.N, seen)
			}
			seen = r.N
		}
	}
}
