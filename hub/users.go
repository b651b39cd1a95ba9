package hub

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"watchhouse/registry"
)

// FirstUser is the name of the user made at the first start.
const FirstUser = "admin"

// EnsureAdmin creates FirstUser when nobody is an administrator yet, whoever else was added before the first start. With an empty
// password it generates one and returns it, to be shown once. A password that will not do is a *registry.InvalidError.
func (h *Hub) EnsureAdmin(ctx context.Context, password string) (generated string, err error) {
	if slices.ContainsFunc(h.registry.View().Users(), isAdmin) {
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

// isAdmin holds for a user of the name, too: whoever gave it to another role shall not find it replaced.
func isAdmin(u registry.User) bool { return u.Role == registry.Admin || u.Name == FirstUser }

// Consoles is how many consoles are open.
func (h *Hub) Consoles() int { return h.dashboard.Consoles() }
