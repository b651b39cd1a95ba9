// Package journal keeps what the hub was told on disk before the hub answers: the lanes of inbound messages, the ledger and
// other hash-chained logs, side streams, and a few keyed values, in two files of one data folder.
//
// # Crash argument
//
// An acknowledgement follows the sync. Lane.Submit only encodes the message into the frame being filled; the lane's
// committer hands whole frames to the engine, whose Append returns after the sync of the write-ahead log, and only then
// calls the callbacks. Hence at a kill or power failure at any moment a message is in one of three states: in memory only,
// then nobody was told; in a frame whose commit record is not on disk, then recovery drops the frame as a whole and nobody
// was told; or committed, then it is read back. Acknowledged minus stored is nothing. Stored minus acknowledged is what was
// under way, and what a sender without an answer sends again.
//
// Nothing is doubled by the journal itself: each append names the last sequence it expects. When its outcome is unknown
// (a time-out, a failed sync) the record of that number is read first: when it is this very frame, it was stored; when the
// log still ends before it, the same bytes are appended again; when it is another's, another writer leads and this one must
// not go on (ErrConflict). The frames of one append are stored all or none, so its last record speaks for them. Nothing is
// reordered: a lane has one append under way and later frames wait behind a failing one. Nothing damaged is passed over: every frame has a checksum, its number and its first message's number, so readers
// notice a frame that is spoilt, missing, doubled or swapped, and report the range (GapError).
//
// The argument rests on the disk doing what a sync promises. Cursors and ticks are weaker on purpose: a cursor may fall back
// by what was read in the last second, so readers are idempotent.
//
// # Two files, two fates
//
// life.db holds the event and state lanes, the chains and the keys; bulk.db the telemetry lane and the streams. They share
// neither writer nor connection nor lock, so a saturated, full or broken bulk.db does not delay life. A bulk.db out of order
// is reported by Health and by ErrUnavailable; a life.db out of order fails Open.
//
// # Space
//
// Each file has a size cap, and each lane a part of it that no other can take (budget.go). Messages leave a quarter of life.db to
// the chains and keys; the hub's own records have more of the state lane than what is published, and the start of the hub is
// always taken, so that a full file opens. Within a lane one sender may hold a twentieth (ErrSenderFull), one that speaks for many
// a half. What each holds is counted as it is committed and purged; the counts are a view of the frames, saved now and then and
// made again from the frames after that. A payload over 16 KiB leaves its bulk out of life.db.
//
// Frames that every cursor has passed are purged after the retention, or from 80 % of a part or of the cap on, oldest first. What a
// cursor has not passed is never purged: the lane gets full instead. Chains are not purged.
//
// On a full disk life gets the reserve file's space, an eighth at a time. Nothing of it can go to bulk.db: each write of that is
// admitted only while more is free than is missing of the reserve and a quarter of it, so that what life frees is life's.
//
// # Frame
//
// One record of a lane's log is one frame: a header of 64 bytes and a body. All numbers are little-endian.
//
//	offset  bytes  field
//	0       4      magic "WHF1" (a chain's record: "WHC1")
//	4       1      version, 1
//	5       1      codec of the body: 0 raw, 1 zstd
//	6       2      zero
//	8       8      writer id: of the data folder, random, made once
//	16      8      epoch: grows with every opening
//	24      8      number of the first message (or step), from 1
//	32      8      time of sealing, Unix ns
//	40      4      count of messages (or steps)
//	44      4      length of the body unpacked, at most 64 MiB
//	48      4      length of the body as stored
//	52      8      zero
//	60      4      CRC-32C of bytes 0 to 59 and of the body as stored
//	64      …      body
//
// The body of a lane's frame is its messages one after the other. varint and uvarint are those of encoding/binary; bytes are
// a uvarint length and so many bytes.
//
//	1 byte   kind (Kind)
//	1 byte   flags: bits 0-1 QoS, 2 retain, 3 DUP, 4 the device's id is the client's, 5 the payload
//	         was cut; the others zero
//	varint   receive time in ns less that of the message before it in the frame (the first: less 0)
//	uvarint  connection number
//	bytes    client id
//	bytes    device id, absent when flag 4 is set
//	bytes    topic
//	uvarint  length of the payload as sent, only with flag 5: what follows is its beginning
//	bytes    payload
//
// The body of a chain's record is the hash of the step before its first (32 bytes, zeros at the beginning), the hash of its
// last step (32 bytes), then each step's body as bytes. A step's hash is SHA-256 of the previous hash, its number as 8 bytes
// big-endian, and its body. Rewriting a step shows in the next record; of the last record, in whatever kept its hash.
//
// A body is packed when it has at least 4 KiB and packing saves an eighth; a lone message is never held up by it.
//
// # Concurrency
//
// Every method may be called from any goroutine. Each lane and stream has one committer; callbacks run on it, in order of
// submission, and must not block. There is no linger: a committer takes all that gathered while the last commit was synced, up
// to 8 MiB in as many frames as it needs, so that what a lane takes a second does not depend on how long a sync lasts. Each
// file has one writer, which commits everything that waits as one transaction, events first; life and bulk never wait for
// each other's sync. Close stops the housekeeping,
// lets the committers drain until its context ends, and waits for every goroutine. Entries read are shared between readers
// and must not be changed.
//
// # Errors
//
// The sentinels of this package, wrapped; *GapError for what cannot be read. A failed commit is logged once when it begins
// to fail; from then on Submit refuses until the committer, which goes on retrying, succeeds.
package journal
