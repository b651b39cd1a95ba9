package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"watchhouse/journal/engine"
)

// Get implements engine.Engine. A value still waiting from PutLater is seen.
func (db *DB) Get(ctx context.Context, bucket, key string) ([]byte, error) {
	db.mu.Lock()
	v, ok := db.lazy[lazyKey{bucket, key}]
	db.mu.Unlock()
	if ok {
		return append([]byte{}, v...), nil
	}
	var value []byte
	err := db.read.QueryRowContext(ctx, "SELECT value FROM kv WHERE bucket = ? AND key = ?", bucket, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%s/%s: %w", bucket, key, engine.ErrNotFound)
	}
	return value, classify(err)
}

// Put implements engine.Engine.
func (db *DB) Put(ctx context.Context, bucket, key string, value []byte) error {
	return db.do(ctx, engine.Normal, len(value), func(ctx context.Context) error {
		return db.put(ctx, lazyKey{bucket, key}, value)
	})
}

func (db *DB) put(ctx context.Context, k lazyKey, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	_, err := db.insertKV.ExecContext(ctx, k.bucket, k.key, value)
	return err
}

// PutLater implements engine.Engine.
func (db *DB) PutLater(bucket, key string, value []byte) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if !db.closed && !db.readOnly {
		db.lazy[lazyKey{bucket, key}] = value
	}
}

// takeLazy hands the waiting values to the writer.
func (db *DB) takeLazy() map[lazyKey][]byte {
	db.mu.Lock()
	defer db.mu.Unlock()
	if len(db.lazy) == 0 {
		return nil
	}
	l := db.lazy
	db.lazy = make(map[lazyKey][]byte, len(l))
	return l
}

// giveBackLazy returns values whose commit failed, unless a newer one came meanwhile.
func (db *DB) giveBackLazy(l map[lazyKey][]byte) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for k, v := range l {
		if _, newer := db.lazy[k]; !newer {
			db.lazy[k] = v
		}
	}
}

// Delete implements engine.Engine.
func (db *DB) Delete(ctx context.Context, bucket, key string) error {
	return db.do(ctx, engine.Normal, 0, func(ctx context.Context) error {
		db.mu.Lock()
		delete(db.lazy, lazyKey{bucket, key})
		db.mu.Unlock()
		_, err := db.write.ExecContext(ctx, "DELETE FROM kv WHERE bucket = ? AND key = ?", bucket, key)
		return err
	})
}

// Keys implements engine.Engine.
func (db *DB) Keys(ctx context.Context, bucket string) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT key FROM kv WHERE bucket = ? ORDER BY key", bucket)
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close()
	keys := []string{}
	for rows.Next() {
		var k string
		if err := rows.Scan(&k); err != nil {
			return nil, classify(err)
		}
		keys = append(keys, k)
	}
	return keys, classify(rows.Err())
}
