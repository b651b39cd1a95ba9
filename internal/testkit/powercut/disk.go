package powercut

import (
	"strings"
	"sync"
	"syscall"
)

// Disk is what a machine knows of its files: what is on the disk for good and what is only in memory yet.
type Disk struct {
	mu       sync.Mutex
	root     *inode
	lastIno  uint64
	deaf     bool
	changes  int
	freezeAt int // the change that is the first to be refused, 0 = none
	frozen   chan struct{}
}

// New gives an empty disk.
func New() *Disk {
	d := &Disk{frozen: make(chan struct{})}
	d.root = d.newInode(syscall.S_IFDIR | 0o700)
	return d
}

// DeafSync makes syncs do nothing from now on, as on a disk that lies.
func (d *Disk) DeafSync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deaf = true
}

// FreezeAt refuses the n-th change from now on (1 = the next) and all after it.
func (d *Disk) FreezeAt(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.freezeAt = d.changes + n
}

// Freeze refuses every change from now on.
func (d *Disk) Freeze() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.freeze()
}

// Frozen is closed once changes are refused.
func (d *Disk) Frozen() <-chan struct{} { return d.frozen }

// Changes counts the changes made, syncs among them; those to SQLite's shared memory are not, since nothing depends on them.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

func (d *Disk) freeze() {
	if !d.isFrozen() {
		close(d.frozen)
	}
}

func (d *Disk) isFrozen() bool {
	select {
	case <-d.frozen:
		return true
	default:
		return false
	}
}

// sharedMemory is how files end whose contents mean nothing after a restart.
const sharedMemory = "-shm"

// change asks, with d.mu held, whether a change of the named file may be made.
func (d *Disk) change(name string) syscall.Errno {
	if strings.HasSuffix(name, sharedMemory) {
		return 0
	}
	if d.freezeAt > 0 && d.changes+1 >= d.freezeAt {
		d.freeze()
	}
	if d.isFrozen() {
		return syscall.EIO
	}
	d.changes++
	return 0
}

// inode is a file or a folder; a file's fields are zero in a folder and the other way round.
type inode struct {
	ino  uint64
	mode uint32
	name string // the first it had, for change

	now     []byte  // what a reader sees
	safe    []byte  // what has been synced
	pending []write // from safe to now, in order

	entries map[string]*inode // what a reader sees
	synced  map[string]*inode
	moves   []move // from synced to entries, in order
}

// write is one unsynced write, or a truncation when data is nil.
type write struct {
	off  int64
	data []byte
}

// move is one unsynced change of a folder's entries, all of them or none: nil removes the name.
type move map[string]*inode

func (d *Disk) newInode(mode uint32) *inode {
	d.lastIno++
	n := &inode{ino: d.lastIno, mode: mode}
	if n.isDir() {
		n.entries, n.synced = map[string]*inode{}, map[string]*inode{}
	}
	return n
}

func (n *inode) isDir() bool { return n.mode&syscall.S_IFMT == syscall.S_IFDIR }

func (n *inode) write(w write) {
	n.now = w.apply(n.now)
	n.pending = append(n.pending, w)
}

// apply gives the content after a write; the slice may be changed in place.
func (w write) apply(content []byte) []byte {
	if w.data == nil {
		return resize(content, w.off)
	}
	if end := w.off + int64(len(w.data)); end > int64(len(content)) {
		content = resize(content, end)
	}
	copy(content[w.off:], w.data)
	return content
}

func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}

func (n *inode) move(m move) {
	m.apply(n.entries)
	n.moves = append(n.moves, m)
}

func (m move) apply(entries map[string]*inode) {
	for name, to := range m {
		if to == nil {
			delete(entries, name)
			continue
		}
		entries[name] = to
	}
}

// sync makes what a reader sees safe.
func (n *inode) sync() {
	for _, w := range n.pending {
		n.safe = w.apply(n.safe)
	}
	n.pending = nil
	for _, m := range n.moves {
		m.apply(n.synced)
	}
	n.moves = nil
}
