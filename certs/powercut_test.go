package certs

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"watchhouse/internal/testkit/powercut"
)

// left is the folder as a power cut leaves it.
func left(t *testing.T, d *powercut.Disk, loss powercut.Loss, seed int) folder {
	t.Helper()
	f := folder{t, t.TempDir()}
	f.must(d.Cut(loss, rand.New(rand.NewPCG(uint64(seed), 1))).Save("tls", f.dir))
	return f
}

func TestInitIsOnTheDiskWhenItReturns(t *testing.T) {
	d := powercut.New()
	disk, _ := d.Mount(t)
	if err := Init(filepath.Join(disk, "tls"), []string{"hub.test"}, false); err != nil {
		t.Fatal(err)
	}
	left(t, d, powercut.Losses()[0], 1).store()
}

// The power is cut before every change that a renewal makes, and before every change of the one after it: the hub starts in any case, and
// with the new certificate once the command has returned.
func TestPowerCutInARenewalLeavesAPair(t *testing.T) {
	for n := 1; ; n++ {
		d := powercut.New()
		disk, unmount := d.Mount(t)
		dir := filepath.Join(disk, "tls")
		if err := Init(dir, []string{"hub.test"}, false); err != nil {
			t.Fatal(err)
		}
		d.FreezeAt(n)
		err := Renew(dir, []string{"renewed.test"})
		unmount()
		for i, loss := range powercut.Losses() {
			again := d.Cut(loss, rand.New(rand.NewPCG(uint64(n), uint64(i))))
			renewed := left(t, again, loss, n).store().current.Load().chain[0].DNSNames[0] == "renewed.test"
			if err == nil && !renewed {
				t.Errorf("%s: the renewal was reported as done and is not", loss.Name)
			}
			cutSecondRenewal(t, again, n)
		}
		if err == nil {
			return
		}
		if t.Failed() {
			t.Fatalf("cut before change %d", n)
		}
	}
}

// cutSecondRenewal renews what a cut has left and cuts that once, too.
func cutSecondRenewal(t *testing.T, d *powercut.Disk, n int) {
	t.Helper()
	disk, unmount := d.Mount(t)
	d.FreezeAt(1 + n%10)
	_ = Renew(filepath.Join(disk, "tls"), nil) // mostly an I/O error
	unmount()
	for i, loss := range powercut.Losses() {
		left(t, d, loss, n*10+i).store()
	}
}
