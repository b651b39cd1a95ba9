package hub

import (
	"context"
	"crypto/rand"
	"fmt"

	"watchhouse/registry"
)

// FirstUser is the name of the user made at the first start.
const FirstUser = "admin"

// EnsureAdmin creates FirstUser when the registry has no users. With an empty password it generates one and returns it, to be shown once.
func (h *Hub) EnsureAdmin(ctx context.Context, password string) (generated string, err error) {
	if len(h.registry.View().Users()) > 0 {
		return "", nil
	}
	if password == "" {
		generated = rand.Text()
		password = generated
	}
	user := registry.User{Name: FirstUser, Role: registry.Admin}
	if err := h.registry.PutUser(ctx, "first start", user, password); err != nil {
		return "", fmt.Errorf("create user %s: %w", FirstUser, err)
	}
	return generated, nil
}

// Consoles is how many consoles are open.
func (h *Hub) Consoles() int { return h.dashboard.Consoles() }
