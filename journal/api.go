package journal

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// LaneName names one of the three lanes of inbound messages.
type LaneName string

// The lanes. Event and State live in life.db, Telemetry in bulk.db.
const (
	EventLane     LaneName = "event"     // may need a person now
	StateLane     LaneName = "state"     // status, sessions, command acks
	TelemetryLane LaneName = "telemetry" // measurements
)

// Kind tells what a record of a lane is.
type Kind uint8

// Record kinds.
const (
	Publish    Kind = 1 // an MQTT PUBLISH as received
	Will       Kind = 2 // a last will sent by the broker for a lost client
	Connect    Kind = 3 // a client's session began; Payload is JSON {"protocol":5,"remote":"…","clean":true}
	Disconnect Kind = 4 // a client's session ended; Payload is JSON {"reason":"…"}
	HubStart   Kind = 5 // the hub began; absence rules are blind for a while
	Tick       Kind = 6 // an idle lane's watermark, once a second
)

// Message is the envelope of one inbound message; the payload is raw.
type Message struct {
	Kind       Kind
	ReceivedNS int64 // Unix ns, the hub's clock
	Client     string
	Device     string // authenticated identity (username)
	Topic      string
	QoS        byte
	Retain     bool
	Dup        bool
	Conn       uint64 // connection number, unique for the life of the process
	Payload    []byte
}

// Position is where reading goes on: the entry at Index of frame Frame. The zero value is the beginning. Opaque outside.
type Position struct {
	Frame uint64
	Index uint32
}

// String and ParsePosition give the opaque text form used by tools and cursors; Compare orders positions of one lane.
func (p Position) String() string              { panic("unwritten") }
func ParsePosition(s string) (Position, error) { panic("unwritten") }
func (p Position) Compare(q Position) int      { panic("unwritten") }

// Entry is a stored message. ID is its number in the lane, from 1, without holes.
type Entry struct {
	Message
	ID   uint64
	Pos  Position // of this entry
	Next Position // of the one after it
}

// Receipt tells where a committed message stands.
type Receipt struct {
	ID  uint64
	Pos Position
}

// Sentinel errors.
var (
	ErrLaneFull = errors.New("journal: lane is full")
	ErrTooLarge = errors.New("journal: message is larger than a frame")
	ErrClosed   = errors.New("journal: closed")
	ErrConflict = errors.New("journal: not the expected last number") // another writer appended: this one is no longer the leader
	ErrNotFound = errors.New("journal: not found")
	ErrInUse    = errors.New("journal: data folder is in use") // exit code 3
	ErrNewer    = errors.New("journal: data folder has a newer schema")
	ErrDamaged  = errors.New("journal: data folder is damaged")
)

// GapError reports entries that could not be read; Resume is where reading can go on.
type GapError struct {
	Lane     LaneName
	From, To uint64 // message numbers, inclusive
	Resume   Position
	Err      error
}

func (e *GapError) Error() string { panic("unwritten") }
func (e *GapError) Unwrap() error { return e.Err }

// Config of a journal; DefaultConfig fills everything but Dir.
type Config struct {
	Dir           string        `yaml:"-"`
	LifeMaxBytes  int64         `yaml:"life_max_bytes"`
	BulkMaxBytes  int64         `yaml:"bulk_max_bytes"`
	Retention     time.Duration `yaml:"retention"`
	MaxFrameBytes int           `yaml:"max_frame_bytes"`
	ReserveBytes  int64         `yaml:"reserve_bytes"`
	TickInterval  time.Duration `yaml:"tick_interval"`
}

// DefaultConfig …
func DefaultConfig() Config { panic("unwritten") }

// Validate names the faulty key.
func (c Config) Validate() error { panic("unwritten") }

// Journal is the open data folder: three lanes, chains and a small key-value store.
type Journal struct{}

// Open locks cfg.Dir and opens or creates life.db and bulk.db. A bulk.db out of order leaves the journal degraded, not failed.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Journal, error) { panic("unwritten") }

// OpenReadOnly opens beside a running hub, for tools.
func OpenReadOnly(ctx context.Context, dir string) (*Journal, error) { panic("unwritten") }

// Lane gives a lane; it panics on a name that is none of the three.
func (j *Journal) Lane(name LaneName) *Lane { panic("unwritten") }

// Chain gives a hash-chained log in life.db: "ledger" (the alert engine's) and "registry".
func (j *Journal) Chain(name string) *Chain { panic("unwritten") }

// Bulk chains: "rejects" and "deadletter" streams, not chained, kept by age.
func (j *Journal) Stream(name string) *Stream { panic("unwritten") }

// KV gives the key-value store of life.db, under a bucket name (sessions, snapshots, cursors…).
func (j *Journal) KV(bucket string) *KV { panic("unwritten") }

// Health tells the state of both files.
func (j *Journal) Health() Health { panic("unwritten") }

// Close drains the committers (until ctx ends) and releases the lock. Idempotent.
func (j *Journal) Close(ctx context.Context) error { panic("unwritten") }

// Health of the files; Err is nil when a file can be written. UsedRatio is 0 to 1 of the cap.
type Health struct {
	Life, Bulk FileHealth
}

// FileHealth of one file.
type FileHealth struct {
	Err       error
	Bytes     int64
	UsedRatio float64
	FsyncP50  time.Duration // of recent commits
	FsyncP99  time.Duration
	Commits   uint64
}

// Lane is one append-only lane with its group committer. Safe for concurrent use.
type Lane struct{}

// Submit queues m. When it returns nil, done is called exactly once, from the committer's goroutine, in order of
// submission: with a receipt after the fsync of its frame, or with the error of a failed commit (then the message may or
// may not be stored, must not be acknowledged, and the committer goes on retrying the frame by itself). done must not block.
// When Submit returns an error (ErrLaneFull, ErrTooLarge, ErrClosed, a standing failure of the file) done is never called.
// m.Payload must not be changed after the call. Submit never blocks on disk.
func (l *Lane) Submit(m Message, done func(Receipt, error)) error { panic("unwritten") }

// Append submits and waits.
func (l *Lane) Append(ctx context.Context, m Message) (Receipt, error) { panic("unwritten") }

// Read returns up to limit stored entries from a position on, in order, and where to go on; none at the head.
// A break is a *GapError after the entries before it.
func (l *Lane) Read(ctx context.Context, from Position, limit int) (entries []Entry, next Position, err error) {
	panic("unwritten")
}

// Wait blocks until there is something to read at from, or ctx ends.
func (l *Lane) Wait(ctx context.Context, from Position) error { panic("unwritten") }

// Head is the position after the last committed entry; First the oldest kept.
func (l *Lane) Head() Position  { panic("unwritten") }
func (l *Lane) First() Position { panic("unwritten") }

// Cursor and SetCursor keep a named reader's position; purge never passes the smallest. A new cursor reads as zero.
// Setting is monotonic and cheap (written by the file's one writer, not fsynced alone).
func (l *Lane) Cursor(ctx context.Context, name string) (Position, error)    { panic("unwritten") }
func (l *Lane) SetCursor(ctx context.Context, name string, p Position) error { panic("unwritten") }

// Depth is how many entries lie between p and the head.
func (l *Lane) Depth(p Position) uint64 { panic("unwritten") }

// Step is one body in a chain. Hash covers the previous hash, N and the body.
type Step struct {
	N    uint64
	Hash [32]byte
	Body []byte
}

// Chain is a hash-chained log with one writer: the ledger, the registry's change sets.
type Chain struct{}

// ID is made once when the chain is created and survives restarts (the stream's epoch).
func (c *Chain) ID() string { panic("unwritten") }

// Append appends bodies as steps expect+1… in one commit. ErrConflict when the last is not expect. A time-out is resolved
// by reading the last step: committed or not, never doubled.
func (c *Chain) Append(ctx context.Context, expect uint64, bodies ...[]byte) ([]Step, error) {
	panic("unwritten")
}

// Last is the number of the last step, 0 when empty.
func (c *Chain) Last(ctx context.Context) (uint64, error) { panic("unwritten") }

// Read returns up to limit steps from n on, verified against the hash chain.
func (c *Chain) Read(ctx context.Context, n uint64, limit int) ([]Step, error) { panic("unwritten") }

// Stream is a bounded side log in bulk.db (rejects, dead letters): records of JSON, listable, never acknowledged upon.
type Stream struct{}

// Record of a Stream.
type Record struct {
	N    uint64
	AtNS int64
	Body []byte
}

// Add queues a record without blocking; it is dropped and counted when bulk is out of order.
func (s *Stream) Add(atNS int64, body []byte) { panic("unwritten") }

// List returns up to limit records from n on.
func (s *Stream) List(ctx context.Context, n uint64, limit int) ([]Record, error) { panic("unwritten") }

// KV is a bucket of keys. Put is durable when it returns.
type KV struct{}

func (k *KV) Get(ctx context.Context, key string) ([]byte, error)     { panic("unwritten") } // ErrNotFound
func (k *KV) Put(ctx context.Context, key string, value []byte) error { panic("unwritten") }
func (k *KV) Delete(ctx context.Context, key string) error            { panic("unwritten") }
func (k *KV) Keys(ctx context.Context) ([]string, error)              { panic("unwritten") }
