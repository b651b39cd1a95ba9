package registry

import (
	"context"
	"fmt"
)

// AddDevice registers a device that is not there yet: ErrExists when it is. An empty secret is generated, as is "generate", and
// given back to be shown once.
func (r *Registry) AddDevice(ctx context.Context, actor string, device Device, secret string) (generated string, err error) {
	if secret == "" {
		secret = GenerateSecret
	}
	return r.putOne(ctx, actor, device, secret, false)
}

// ReplaceDevice changes all of a registered device: ErrNotFound when there is none. An empty secret keeps what it has.
func (r *Registry) ReplaceDevice(ctx context.Context, actor string, device Device, secret string) (generated string, err error) {
	return r.putOne(ctx, actor, device, secret, true)
}

// RenewSecret makes a new secret for a device, shown once; the old one is void from then on.
func (r *Registry) RenewSecret(ctx context.Context, actor, id string) (secret string, err error) {
	err = r.edit(ctx, actor, func(d *draft) error {
		if _, known := d.next.Devices[id]; !known {
			return fmt.Errorf("device %s: %w", excerpt(id), ErrNotFound)
		}
		secret, err = d.setSecret("device "+id, id, GenerateSecret)
		return err
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// putOne puts a device that is registered, or is not, as known says.
func (r *Registry) putOne(ctx context.Context, actor string, device Device, secret string, known bool) (string, error) {
	generated := map[string]string{}
	err := r.edit(ctx, actor, func(d *draft) error {
		_, is := d.next.Devices[device.ID]
		switch {
		case is && !known:
			return fmt.Errorf("device %s: %w", device.ID, ErrExists)
		case !is && known:
			return fmt.Errorf("device %s: %w", excerpt(device.ID), ErrNotFound)
		}
		return d.putDevices([]Device{device}, map[string]string{device.ID: secret}, generated)
	})
	if err != nil {
		return "", err
	}
	return generated[device.ID], nil
}
