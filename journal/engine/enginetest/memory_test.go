package enginetest

import (
	"testing"

	"watchhouse/journal/engine"
)

func TestMemoryConforms(t *testing.T) {
	Run(t, func(*testing.T) Opener {
		s := NewStore()
		return func(TB) engine.Engine { return NewMemory(s) }
	})
}
