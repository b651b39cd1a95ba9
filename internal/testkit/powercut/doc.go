// Package powercut is a disk for tests whose power can be cut: a small FUSE file system that keeps apart what has been synced and what
// only the machine's memory holds. SIGKILL proves nothing about syncs, since the page cache outlives the process; a cut here does.
//
// A Disk is mounted with Mount, and another process works on the mount (the tests' own must not: it serves the file system, and a page
// fault on a mapped file would wait for itself). Freeze fixes the moment: from it on every change is refused with an I/O error, so that
// nothing can be acknowledged any more. After the process is gone Cut gives the disk as the next start finds it, after a Loss:
//
//   - a write survives by pages of 4 KiB, or torn at 512 bytes, each with a chance of its own; a file's new size, too, so that a file may
//     come back longer than what was written into it, with zeros at its end;
//   - a folder's entries (made, removed, renamed) survive in their order up to some point, or not at all, unless the folder was synced;
//   - what was synced survives always. A sync of a file says nothing about its entry: this is the strict reading of POSIX.
//
// FreezeAt cuts before the n-th change, so that a test can try every one. DeafSync makes a disk whose syncs do nothing: a test on it must
// lose something, or it proves nothing about the others.
//
// # Concurrency and errors
//
// A Disk may be used from any goroutine. What cannot be mounted fails the test with what is missing; nothing is skipped.
package powercut
