package powercut

import (
	"context"
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// node is an inode as FUSE sees it. The kernel keeps its caches: nobody else changes the files.
type node struct {
	fs.Inode
	disk *Disk
	of   *inode
}

var (
	_ fs.NodeLookuper  = (*node)(nil)
	_ fs.NodeReaddirer = (*node)(nil)
	_ fs.NodeGetattrer = (*node)(nil)
	_ fs.NodeSetattrer = (*node)(nil)
	_ fs.NodeOpener    = (*node)(nil)
	_ fs.NodeReader    = (*node)(nil)
	_ fs.NodeWriter    = (*node)(nil)
	_ fs.NodeFsyncer   = (*node)(nil)
	_ fs.NodeAllocater = (*node)(nil)
	_ fs.NodeCreater   = (*node)(nil)
	_ fs.NodeMkdirer   = (*node)(nil)
	_ fs.NodeLinker    = (*node)(nil)
	_ fs.NodeUnlinker  = (*node)(nil)
	_ fs.NodeRmdirer   = (*node)(nil)
	_ fs.NodeRenamer   = (*node)(nil)
	_ fs.NodeStatfser  = (*node)(nil)
)

// cacheFor is how long the kernel may believe what it was told.
const cacheFor = time.Minute

func (n *node) child(ctx context.Context, of *inode, out *fuse.EntryOut) *fs.Inode {
	of.describe(&out.Attr)
	out.SetEntryTimeout(cacheFor)
	out.SetAttrTimeout(cacheFor)
	return n.NewInode(ctx, &node{disk: n.disk, of: of}, fs.StableAttr{Mode: of.mode & syscall.S_IFMT, Ino: of.ino})
}

func (n *inode) describe(a *fuse.Attr) {
	a.Ino, a.Mode, a.Nlink, a.Size, a.Blksize = n.ino, n.mode, 1, uint64(len(n.now)), pageBytes
	a.Blocks = (a.Size + sectorBytes - 1) / sectorBytes
}

func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	of, ok := n.of.entries[name]
	if !ok {
		return nil, syscall.ENOENT
	}
	return n.child(ctx, of, out), 0
}

func (n *node) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	var list []fuse.DirEntry
	for _, name := range slices.Sorted(maps.Keys(n.of.entries)) {
		of := n.of.entries[name]
		list = append(list, fuse.DirEntry{Name: name, Mode: of.mode, Ino: of.ino})
	}
	return fs.NewListDirStream(list), 0
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	n.of.describe(&out.Attr)
	out.SetTimeout(cacheFor)
	return 0
}

func (n *node) Setattr(ctx context.Context, f fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if errno := n.truncate(int64(size)); errno != 0 {
			return errno
		}
	}
	if mode, ok := in.GetMode(); ok {
		n.disk.mu.Lock()
		n.of.mode = n.of.mode&syscall.S_IFMT | mode&0o7777
		n.disk.mu.Unlock()
	}
	return n.Getattr(ctx, f, out)
}

func (n *node) truncate(size int64) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if errno := n.disk.change(n.of.name); errno != 0 {
		return errno
	}
	n.of.write(write{off: size})
	return 0
}

func (n *node) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if off >= int64(len(n.of.now)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(dest[:copy(dest, n.of.now[off:])]), 0
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if errno := n.disk.change(n.of.name); errno != 0 {
		return 0, errno
	}
	n.of.write(write{off: off, data: slices.Clone(data)})
	return uint32(len(data)), 0
}

// Fsync is that of files and of folders.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if errno := n.disk.change(n.of.name); errno != 0 {
		return errno
	}
	if !n.disk.deaf {
		n.of.sync()
	}
	return 0
}

func (n *node) Allocate(_ context.Context, _ fs.FileHandle, off, size uint64, _ uint32) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if errno := n.disk.change(n.of.name); errno != 0 {
		return errno
	}
	if end := int64(off + size); end > int64(len(n.of.now)) {
		n.of.write(write{off: end})
	}
	return 0
}

func (n *node) Create(ctx context.Context, name string, _, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	made, errno := n.make(ctx, name, syscall.S_IFREG|mode&0o7777, out)
	return made, nil, fuse.FOPEN_KEEP_CACHE, errno
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.make(ctx, name, syscall.S_IFDIR|mode&0o7777, out)
}

func (n *node) make(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if errno := n.disk.change(name); errno != 0 {
		return nil, errno
	}
	of := n.disk.newInode(mode)
	of.name = name
	n.of.move(move{name: of})
	return n.child(ctx, of, out), 0
}

func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if _, taken := n.of.entries[name]; taken {
		return nil, syscall.EEXIST
	}
	if errno := n.disk.change(name); errno != 0 {
		return nil, errno
	}
	of := target.(*node).of
	n.of.move(move{name: of})
	return n.child(ctx, of, out), 0
}

func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if errno := n.disk.change(name); errno != 0 {
		return errno
	}
	n.of.move(move{name: nil})
	return 0
}

func (n *node) Rmdir(ctx context.Context, name string) syscall.Errno {
	n.disk.mu.Lock()
	full := len(n.of.entries[name].entries) > 0
	n.disk.mu.Unlock()
	if full {
		return syscall.ENOTEMPTY
	}
	return n.Unlink(ctx, name)
}

func (n *node) Rename(_ context.Context, name string, to fs.InodeEmbedder, newName string, _ uint32) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if errno := n.disk.change(newName); errno != 0 {
		return errno
	}
	of, target := n.of.entries[name], to.(*node).of
	if target == n.of {
		n.of.move(move{name: nil, newName: of})
		return 0
	}
	n.of.move(move{name: nil})
	target.move(move{newName: of})
	return 0
}

// Statfs says that there is room.
func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	const blocks = 1 << 24
	out.Blocks, out.Bfree, out.Bavail = blocks, blocks, blocks
	out.Bsize, out.Frsize, out.NameLen = pageBytes, pageBytes, 255
	return 0
}
