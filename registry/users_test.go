package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"watchhouse/telemetry"
)

const password = "correct horse battery"

func withAdmin(t *testing.T) *Registry {
	t.Helper()
	r := openTest(t)
	check(t, r.PutUser(t.Context(), "t", User{Name: "admin", Role: Admin}, password))
	return r
}

func TestLogin(t *testing.T) {
	r := withAdmin(t)
	check(t, r.PutUser(t.Context(), "t", User{Name: "值班员1", Role: Operator}, password+"2"))
	check(t, r.PutUser(t.Context(), "t", User{Name: "program", Role: Viewer}, ""))
	check(t, r.PutUser(t.Context(), "t", User{Name: "gone", Role: Viewer, Disabled: true}, password))
	for _, tc := range []struct {
		name, user, password string
		want                 User
	}{
		{"right", "admin", password, User{Name: "admin", Role: Admin}},
		{"Chinese name", "值班员1", password + "2", User{Name: "值班员1", Role: Operator}},
		{"wrong", "admin", password + "2", User{}},
		{"empty", "admin", "", User{}},
		{"unknown", "nobody", password, User{}},
		{"without password", "program", "", User{}},
		{"disabled", "gone", password, User{}},
		{"huge", "admin", strings.Repeat("x", 1<<20), User{}},
		{"huge name", strings.Repeat("x", 1<<20), password, User{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := r.Login(t.Context(), tc.user, tc.password, true)
			if wantErr := tc.want.Name == ""; wantErr != errors.Is(err, ErrUnauthorized) || got != tc.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tc.want)
			}
		})
	}
}

func TestUserChanges(t *testing.T) {
	r := withAdmin(t)
	ctx := t.Context()
	check(t, r.PutUser(ctx, "t", User{Name: "op", Role: Operator}, password))
	check(t, r.PutUser(ctx, "t", User{Name: "op", Role: Supervisor}, ""))
	if u, err := r.Login(ctx, "op", password, true); err != nil || u.Role != Supervisor {
		t.Errorf("after a change of the role alone: %+v, %v", u, err)
	}
	check(t, r.SetPassword(ctx, "t", "op", "another password"))
	if _, err := r.Login(ctx, "op", password, true); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("the old password still works: %v", err)
	}
	if err := r.SetPassword(ctx, "t", "nobody", password); !errors.Is(err, ErrNotFound) {
		t.Errorf("password of an unknown user: %v, want ErrNotFound", err)
	}
	token, err := r.NewToken(ctx, "t", "op", "display")
	check(t, err)
	check(t, r.DisableUser(ctx, "t", "op", true))
	if _, err := r.Token(token); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a disabled user's token works: %v", err)
	}
	check(t, r.DisableUser(ctx, "t", "op", false))
	if u, err := r.Token(token); err != nil || u.Name != "op" {
		t.Errorf("after enabling again: %+v, %v", u, err)
	}
	check(t, r.DeleteUser(ctx, "t", "op"))
	check(t, r.PutUser(ctx, "t", User{Name: "op", Role: Viewer}, ""))
	if _, err := r.Token(token); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a new user of the same name inherits the token: %v", err)
	}
	if _, err := r.Login(ctx, "op", "another password", true); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a new user of the same name inherits the password: %v", err)
	}
	if diff := cmp.Diff([]User{{Name: "admin", Role: Admin}, {Name: "op", Role: Viewer}}, r.View().Users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

func TestUserRules(t *testing.T) {
	r := withAdmin(t)
	mustPut(t, r, nil, Device{ID: "house", Kind: telemetry.SafetyHouse}, Device{ID: "btn", Kind: telemetry.EmergencyButton})
	for name, tc := range map[string]struct {
		user     User
		password string
		field    string
	}{
		"no name":        {User{Role: Viewer}, password, "name"},
		"name of blanks": {User{Name: " ", Role: Viewer}, password, "name"},
		"newline":        {User{Name: "a\nb", Role: Viewer}, password, "name"},
		"long name":      {User{Name: strings.Repeat("x", 65), Role: Viewer}, password, "name"},
		"unknown role":   {User{Name: "x", Role: "root"}, password, "role"},
		"no role":        {User{Name: "x"}, password, "role"},
		"no such house":  {User{Name: "x", Role: Guard, House: "btn"}, password, "house"},
		"short password": {User{Name: "x", Role: Viewer}, "hunter2", "password"},
		"long password":  {User{Name: "x", Role: Viewer}, strings.Repeat("x", 257), "password"},
	} {
		err := r.PutUser(t.Context(), "t", tc.user, tc.password)
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Field != tc.field {
			t.Errorf("%s: error %v, want one on %s", name, err, tc.field)
		}
		if err != nil && strings.Contains(err.Error(), tc.password) {
			t.Errorf("%s: the error repeats the password: %v", name, err)
		}
	}
	check(t, r.PutUser(t.Context(), "t", User{Name: "g", Role: Guard, House: "house"}, ""))
	if err := r.DeleteDevice(t.Context(), "t", "house"); !errors.Is(err, ErrInUse) {
		t.Errorf("deleting a guard's house: %v, want ErrInUse", err)
	}
}

func TestLastAdministratorStays(t *testing.T) {
	r := withAdmin(t)
	ctx := t.Context()
	for name, change := range map[string]func() error{
		"delete":  func() error { return r.DeleteUser(ctx, "t", "admin") },
		"disable": func() error { return r.DisableUser(ctx, "t", "admin", true) },
		"demote":  func() error { return r.PutUser(ctx, "t", User{Name: "admin", Role: Viewer}, "") },
	} {
		if err := change(); !errors.Is(err, ErrLastAdmin) {
			t.Errorf("%s: error %v, want ErrLastAdmin", name, err)
		}
	}
	check(t, r.PutUser(ctx, "t", User{Name: "second", Role: Admin}, ""))
	check(t, r.DeleteUser(ctx, "t", "admin"))
}

func TestTokens(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	ctx := t.Context()
	check(t, r.PutUser(ctx, "t", User{Name: "op", Role: Operator}, ""))
	token, err := r.NewToken(ctx, "t", "op", "display")
	check(t, err)
	if !strings.HasPrefix(token, "wh_") || len(token) < 29 {
		t.Errorf("token %q, want wh_ and 26 characters", token)
	}
	for _, step := range p.chain.steps {
		if strings.Contains(string(step.Body), strings.TrimPrefix(token, "wh_")) {
			t.Error("the chain holds the token")
		}
	}
	if u, err := p.open(t).Token(token); err != nil || u.Name != "op" {
		t.Errorf("after a restart: %+v, %v", u, err)
	}
	for _, wrong := range []string{"", "wh_", token + "x", token[:len(token)-1], strings.ToUpper(token), strings.Repeat("x", 1<<20)} {
		if _, err := r.Token(wrong); !errors.Is(err, ErrUnauthorized) {
			t.Errorf("token of %d characters: %v, want ErrUnauthorized", len(wrong), err)
		}
	}
	if _, err := r.NewToken(ctx, "t", "op", "display"); !errors.Is(err, ErrExists) {
		t.Errorf("a second of the name: %v, want ErrExists", err)
	}
	if _, err := r.NewToken(ctx, "t", "nobody", "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("for nobody: %v, want ErrNotFound", err)
	}
	if list := r.View().Tokens("op"); len(list) != 1 || list[0].Name != "display" || list[0].CreatedMS == 0 {
		t.Errorf("list %+v", list)
	}
	check(t, r.RevokeToken(ctx, "t", "op", "display"))
	if _, err := r.Token(token); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a revoked token: %v, want ErrUnauthorized", err)
	}
	if err := r.RevokeToken(ctx, "t", "op", "display"); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoked twice: %v, want ErrNotFound", err)
	}
}

// A browser that has signed in is known for that user, and until the password changes; nobody can make a mark.
func TestABrowserIsKnownAgain(t *testing.T) {
	r := withAdmin(t)
	check(t, r.PutUser(t.Context(), "t", User{Name: "op", Role: Operator}, password))
	mark := r.MarkBrowser("admin")
	number, known := r.KnowsBrowser("admin", mark)
	if !known || number == "" {
		t.Fatalf("the browser is not known by its own mark %q", mark)
	}
	for name, forged := range map[string]string{
		"nothing": "", "a number": number, "another number": "x" + mark, "another seal": mark[:len(mark)-2] + "xx", "an empty seal": number + ".",
		"too long": number + strings.Repeat("x", 200) + mark,
	} {
		if _, known := r.KnowsBrowser("admin", forged); known {
			t.Errorf("%s passes for a mark", name)
		}
	}
	if _, known := r.KnowsBrowser("op", mark); known {
		t.Error("a mark of one user is good for another")
	}
	if _, known := r.KnowsBrowser("nobody", r.MarkBrowser("nobody")); known {
		t.Error("a name without a user is known")
	}
	check(t, r.PutUser(t.Context(), "t", User{Name: "admin", Role: Admin}, "another password"))
	if _, known := r.KnowsBrowser("admin", mark); known {
		t.Error("the mark outlives the password")
	}
}

// However many strangers try, who has been here before is not behind them.
func TestStrangersDoNotHoldUpKnownBrowsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		release := make(chan struct{})
		for range 3 * maxWaiting {
			go func() { _ = g.do(t.Context(), false, func() error { <-release; return nil }) }()
		}
		synctest.Wait()
		ran := false
		if err := g.do(t.Context(), true, func() error { ran = true; return nil }); err != nil || !ran {
			t.Errorf("a known browser: %v, ran %v", err, ran)
		}
		var throttled *ThrottledError
		if err := g.do(t.Context(), false, func() error { return nil }); !errors.As(err, &throttled) {
			t.Errorf("one stranger more: %v, want *ThrottledError", err)
		}
		close(release)
		synctest.Wait()
	})
}

// Not more than two passwords are hashed at a time, a crowd is turned away, and who gives up leaves the queue.
func TestPasswordGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		var mu sync.Mutex
		running, most := 0, 0
		release := make(chan struct{})
		work := func() error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-release
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		}
		var wg sync.WaitGroup
		for range maxHashing + maxWaiting {
			wg.Go(func() {
				if err := g.do(t.Context(), true, work); err != nil {
					t.Errorf("within the limit: %v", err)
				}
			})
		}
		synctest.Wait()
		var throttled *ThrottledError
		if err := g.do(t.Context(), true, work); !errors.As(err, &throttled) {
			t.Errorf("beyond the limit: %v, want *ThrottledError", err)
		}
		close(release)
		wg.Wait()
		if most != maxHashing {
			t.Errorf("%d at a time, want %d", most, maxHashing)
		}
	})
}

func TestWaitingForThePasswordGateEnds(t *testing.T) {
	r := withAdmin(t)
	r.gate.running <- struct{}{}
	r.gate.running <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if _, err := r.Login(ctx, "admin", password, true); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want the context's: it must not count as a failure either", err)
		}
	}
}

func TestPermissions(t *testing.T) {
	want := map[Role]string{ // as Permissions gives them
		Viewer: "[view]", Guard: "[view]", Maintainer: "[view devices journal]", Operator: "[view handle reveal]",
		Supervisor: "[view handle review reveal devices journal]", Admin: "[view handle review reveal devices users journal]",
		"root": "[]", "": "[]",
	}
	for role, permissions := range want {
		if got := fmt.Sprint(role.Permissions()); got != permissions {
			t.Errorf("%q may %s, want %s", role, got, permissions)
		}
	}
	if Viewer.Can(PermReveal) || Maintainer.Can(PermReveal) || !Operator.Can(PermReveal) {
		t.Error("personal data is for those who answer calls")
	}
}

func BenchmarkLogin(b *testing.B) {
	r := openTest(b)
	check(b, r.PutUser(b.Context(), "t", User{Name: "admin", Role: Admin}, password))
	for b.Loop() {
		if _, err := r.Login(b.Context(), "admin", password, true); err != nil {
			b.Fatal(err)
		}
	}
}
