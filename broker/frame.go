package broker

import (
	"errors"
	"sync"
)

// Packet types of MQTT, the upper half of the first byte.
const (
	typeConnect    = 1
	typePublish    = 3
	typePuback     = 4
	typePubrec     = 5
	typePubrel     = 6
	typePubcomp    = 7
	typeSubscribe  = 8
	typeUnsub      = 10
	typePingreq    = 12
	typePingresp   = 13
	typeDisconnect = 14
	typeAuth       = 15
)

const (
	idleBufferBytes    = 256       // what a quiet connection keeps for reading
	busyBufferBytes    = 32 << 10  // borrowed while a connection sends more than that at a time
	maxConnectBytes    = 16 << 10  // a stranger makes the hub allocate no more than this
	maxRemainingLength = 268435455 // four bytes of seven bits
)

var (
	errMalformed = errors.New("malformed packet")
	errTooLarge  = errors.New("packet too large")
)

// frame is one whole MQTT packet; its bytes are valid until the next one is asked for.
type frame struct {
	raw  []byte
	body []byte // after the fixed header
}

func (f frame) kind() byte { return f.raw[0] >> 4 }

// frameReader cuts a byte stream into packets. It holds idleBufferBytes while the stream is quiet, borrows a large buffer while
// it is busy, and allocates more only for a packet that is both announced and allowed to be larger.
type frameReader struct {
	read  func([]byte) (int, error)
	pool  *sync.Pool // of *[]byte, busyBufferBytes each
	limit int        // of a whole packet

	buf   []byte
	r, w  int
	loan  *[]byte // the borrowed buffer, when buf is one
	quiet bool    // the last read fitted an idle buffer
	idle  [idleBufferBytes]byte
}

// next blocks until a packet is whole.
func (f *frameReader) next() (frame, error) {
	for {
		size, header, err := packetSize(f.buf[f.r:f.w])
		switch {
		case err != nil:
			return frame{}, err
		case size > f.limit:
			return frame{}, errTooLarge
		case size > 0 && size <= f.w-f.r:
			raw := f.buf[f.r : f.r+size : f.r+size]
			f.r += size
			return frame{raw: raw, body: raw[header:]}, nil
		}
		if err := f.fill(size); err != nil {
			return frame{}, err
		}
	}
}

// buffered is how many bytes wait behind the packet handed out last.
func (f *frameReader) buffered() int { return f.w - f.r }

// packetSize gives the size of the packet that b begins with, 0 while the header is not whole, and the size of its header.
func packetSize(b []byte) (size, header int, err error) {
	length, shift := 0, 0
	for i := 1; i < len(b); i++ {
		if i > 4 {
			return 0, 0, errMalformed
		}
		length |= int(b[i]&0x7f) << shift
		if b[i]&0x80 == 0 {
			return 1 + i + length, 1 + i, nil
		}
		shift += 7
	}
	if len(b) > 4 {
		return 0, 0, errMalformed
	}
	return 0, 0, nil
}

// fill reads once, after making room for a packet of size bytes (0 = not known yet).
func (f *frameReader) fill(size int) error {
	f.makeRoom(size)
	n, err := f.read(f.buf[f.w:])
	f.w += n
	f.quiet = n < idleBufferBytes
	if n > 0 {
		return nil
	}
	return err
}

func (f *frameReader) makeRoom(size int) {
	rest := f.buf[f.r:f.w]
	want := f.wanted(size, len(rest))
	if want == len(f.buf) && f.r == 0 {
		return
	}
	if want == len(f.buf) {
		copy(f.buf, rest)
		f.r, f.w = 0, len(rest)
		return
	}
	f.change(want, rest)
}

// wanted chooses the size of the buffer for the next read.
func (f *frameReader) wanted(size, rest int) int {
	switch {
	case size > busyBufferBytes:
		return max(size, len(f.buf))
	case size > idleBufferBytes, rest >= idleBufferBytes, len(f.buf) > 0 && !f.quiet:
		return busyBufferBytes
	}
	return idleBufferBytes
}

func (f *frameReader) change(want int, rest []byte) {
	loan := f.loan
	f.loan = nil
	switch want {
	case idleBufferBytes:
		f.buf = f.idle[:]
	case busyBufferBytes:
		f.loan = f.pool.Get().(*[]byte)
		f.buf = *f.loan
	default:
		f.buf = make([]byte, want)
	}
	f.w = copy(f.buf, rest)
	f.r = 0
	if loan != nil {
		f.pool.Put(loan)
	}
}

// release gives a borrowed buffer back. Nothing may be read afterwards.
func (f *frameReader) release() {
	if f.loan != nil {
		f.pool.Put(f.loan)
		f.loan = nil
	}
	f.buf, f.r, f.w = nil, 0, 0
}

func newBufferPool() *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, busyBufferBytes)
		return &b
	}}
}
