package registry

import (
	"context"

	"watchhouse/journal"
)

// chain is what the registry needs of journal.Chain.
type chain interface {
	ID() string
	Append(ctx context.Context, expect uint64, bodies ...[]byte) ([]journal.Step, error)
	Last(ctx context.Context) (uint64, error)
	Read(ctx context.Context, n uint64, limit int) ([]journal.Step, error)
}

// shelf is what the registry needs of journal.KV.
type shelf interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
}
