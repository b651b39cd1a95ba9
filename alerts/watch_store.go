package alerts

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/klauspost/compress/zstd"

	"watchhouse/journal"
)

// A snapshot of the watch is a head and parts of the devices, so that neither its writing nor its reading needs the memory of
// all of it at once. A device is always in the same part: one that was written and one that was not never hold it twice.
const (
	watchVersion = 1
	watchKey     = "windows"
	watchParts   = 16
)

func watchPartKey(n int) string { return fmt.Sprintf("%s/%02d", watchKey, n) }

func watchPart(device string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(device))
	return int(h.Sum32() % watchParts)
}

// store writes a snapshot, the head last: should it not come so far, the old head goes with newer devices, whose messages are
// then read again and known by their numbers.
func (w *watch) store(ctx context.Context, kv bucket, epoch string) (savedWatch, error) {
	head, ids := w.head(epoch)
	var parts [watchParts][]string
	for _, id := range ids {
		n := watchPart(id)
		parts[n] = append(parts[n], id)
	}
	for n, ids := range parts { // an empty one too: it may hold devices of another ledger
		if err := putPart(ctx, kv, n, w.frozen(ids)); err != nil {
			return head, err
		}
	}
	data, err := json.Marshal(head)
	if err != nil {
		return head, fmt.Errorf("encode windows: %w", err)
	}
	if err := kv.Put(ctx, watchKey, data); err != nil {
		return head, fmt.Errorf("write windows: %w", err)
	}
	return head, nil
}

func putPart(ctx context.Context, kv bucket, n int, devices []savedDevice) error {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("encode windows: %w", err)
	}
	if err := errors.Join(gob.NewEncoder(z).Encode(devices), z.Close()); err != nil {
		return fmt.Errorf("encode windows: %w", err)
	}
	if err := kv.Put(ctx, watchPartKey(n), out.Bytes()); err != nil {
		return fmt.Errorf("write windows: %w", err)
	}
	return nil
}

// load restores a snapshot and gives its head, nil when there is none that can be used: then the windows begin empty.
func (w *watch) load(ctx context.Context, kv bucket, epoch string) (*savedWatch, error) {
	data, err := kv.Get(ctx, watchKey)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read windows: %w", err)
	}
	var head savedWatch
	if err := json.Unmarshal(data, &head); err != nil || head.V != watchVersion || head.Epoch != epoch {
		w.log.Warn("windows not used, rules look from now on", "err", err)
		return nil, nil
	}
	var devices []savedDevice
	for n := range watchParts {
		list, err := getPart(ctx, kv, n)
		if err != nil {
			return nil, err
		}
		devices = append(devices, list...)
	}
	return &head, w.restore(&head, devices)
}

func getPart(ctx context.Context, kv bucket, n int) ([]savedDevice, error) {
	data, err := kv.Get(ctx, watchPartKey(n))
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read windows: %w", err)
	}
	z, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("decode windows: %w", err)
	}
	defer z.Close()
	var devices []savedDevice
	if err := gob.NewDecoder(z).Decode(&devices); err != nil {
		return nil, nil // a cache: its devices begin empty
	}
	return devices, nil
}
