package influxdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// BinEnv names the variable with the path of the influxd binary to use instead of bin/influxd.
const BinEnv = "WATCHHOUSE_INFLUXD"

// Find gives the path of the influxd binary for tests: $WATCHHOUSE_INFLUXD, else bin/influxd of the source tree around the
// working folder, else that one built now, which takes about a minute with an empty build cache.
func Find(ctx context.Context) (string, error) {
	if path := os.Getenv(BinEnv); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", BinEnv, err)
		}
		return path, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "influxd")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, build(ctx, root, path)
}

// build makes the binary under another name first: two test processes may build at once, and none may run half a file.
func build(ctx context.Context, root, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("build influxd: %w", err)
	}
	part := fmt.Sprintf("%s.%d", path, os.Getpid())
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", part, "github.com/influxdata/influxdb/cmd/influxd")
	cmd.Dir = filepath.Join(root, "tools", "influxd")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build influxd: %w\n%s", err, out)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("build influxd: %w", err)
	}
	return nil
}

// moduleRoot walks up to the folder whose go.mod is this module's.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the source tree: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module watchhouse\n") {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("find the source tree: no go.mod of module watchhouse above the working folder")
		}
		dir = filepath.Dir(dir)
	}
}
