package powercut

import (
	"os"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// maxWrite is the most that one request carries; SQLite's and the journal's are smaller.
const maxWrite = 1 << 20

// Mount serves the disk below a new folder until unmount, or the end of the test. No process may use it by then.
func (d *Disk) Mount(t testing.TB) (folder string, unmount func()) {
	t.Helper()
	folder = t.TempDir()
	options := &fs.Options{MountOptions: fuse.MountOptions{
		FsName: "powercut", Name: "powercut", MaxWrite: maxWrite, DisableXAttrs: true, DirectMount: true,
		DirectMountStrict: os.Geteuid() == 0, // others need fusermount3, which belongs to root
	}}
	server, err := fs.Mount(folder, &node{disk: d, of: d.root}, options)
	if err != nil {
		t.Fatalf("mount a FUSE file system: %v\nwant /dev/fuse, and root or fusermount3 (Debian: fuse3); `make setup` installs it", err)
	}
	mounted := true
	unmount = func() {
		if !mounted {
			return
		}
		mounted = false
		// Detached: a process that was killed a moment ago may hold it still.
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			if err := server.Unmount(); err != nil {
				t.Errorf("unmount: %v", err)
				return
			}
		}
		server.Wait()
	}
	t.Cleanup(unmount)
	return folder, unmount
}
