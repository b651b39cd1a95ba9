package powercut

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Loss says what survives a cut of what was not synced.
type Loss struct {
	Name    string
	Unit    int64   // bytes that survive together
	Writes  float64 // chance of each unit, and of each new size, to survive
	Entries float64 // chance of each change of a folder to survive, if the one before it does
}

const (
	pageBytes   = 4096
	sectorBytes = 512
)

// Losses are the kinds of a cut that tests go through.
func Losses() []Loss {
	return []Loss{
		{"everything is lost", pageBytes, 0, 0},
		{"entries survive, contents are lost", pageBytes, 0, 1},
		{"contents survive, entries are lost", pageBytes, 1, 0},
		{"some pages survive", pageBytes, 0.5, 0.7},
		{"some sectors survive", sectorBytes, 0.5, 0.7},
	}
}

// longEnv asks for the long run: every loss at every moment.
const longEnv = "WATCHHOUSE_POWERCUT_LONG"

// Long says whether tests shall try everything, as `make fuzz` has them do, instead of a part that takes seconds.
func Long() bool { return os.Getenv(longEnv) != "" }

// Step is how far tests go from one moment to the next: one in the long run, else a few. It has no divisor with the number of losses.
func Step() int {
	if Long() {
		return 1
	}
	return 4
}

// LossesOf are the losses to try at the n-th moment: all in the long run, else one after the other in turn.
func LossesOf(n int) []Loss {
	all := Losses()
	if Long() {
		return all
	}
	return all[n%len(all) : n%len(all)+1]
}

// Cut gives the disk as it is found when the power is back. The disk itself is frozen and stays what it was, so that other losses of the
// same moment can be tried.
func (d *Disk) Cut(loss Loss, r *rand.Rand) *Disk {
	d.Freeze()
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &cutter{to: New(), loss: loss, rand: r, seen: map[*inode]*inode{}}
	c.to.root = c.inode(d.root)
	return c.to
}

type cutter struct {
	to   *Disk
	loss Loss
	rand *rand.Rand
	seen map[*inode]*inode // an inode may have two names
}

func (c *cutter) survives(chance float64) bool { return c.rand.Float64() < chance }

func (c *cutter) inode(n *inode) *inode {
	if made, ok := c.seen[n]; ok {
		return made
	}
	made := c.to.newInode(n.mode)
	made.name = n.name
	c.seen[n] = made
	if !n.isDir() {
		made.safe = c.contents(n)
		made.now = slices.Clone(made.safe)
		return made
	}
	entries := maps.Clone(n.synced)
	for _, m := range n.moves {
		if !c.survives(c.loss.Entries) {
			break
		}
		m.apply(entries)
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) { // sorted: one seed, one outcome
		made.synced[name] = c.inode(entries[name])
	}
	made.entries = maps.Clone(made.synced)
	return made
}

func (c *cutter) contents(n *inode) []byte {
	content := slices.Clone(n.safe)
	for _, w := range n.pending {
		if size := w.off + int64(len(w.data)); c.survives(c.loss.Writes) && (w.data == nil || size > int64(len(content))) {
			content = resize(content, size)
		}
		for _, part := range w.split(c.loss.Unit) {
			if c.survives(c.loss.Writes) {
				content = part.apply(content)
			}
		}
	}
	return content
}

// split gives the parts of a write that survive by themselves.
func (w write) split(unit int64) []write {
	var parts []write
	for off, rest := w.off, w.data; len(rest) > 0; {
		n := min(unit-off%unit, int64(len(rest)))
		parts = append(parts, write{off: off, data: rest[:n]})
		off, rest = off+n, rest[n:]
	}
	return parts
}

// Save writes the files below a folder of the disk into dir, which must exist: a test looks at them there without the file system.
func (d *Disk) Save(folder, dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.root
	for _, name := range elements(folder) {
		if n = n.entries[name]; n == nil {
			return &os.PathError{Op: "save", Path: folder, Err: syscall.ENOENT}
		}
	}
	return n.save(dir)
}

func (n *inode) save(to string) error {
	if !n.isDir() {
		return os.WriteFile(to, n.now, os.FileMode(n.mode&0o777))
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for name, child := range n.entries {
		if err := child.save(filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

func elements(path string) []string {
	return strings.FieldsFunc(filepath.Clean("/"+path), func(r rune) bool { return r == filepath.Separator })
}
