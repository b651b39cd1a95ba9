package hub

import (
	"context"
	"fmt"
	"time"

	"watchhouse/certs"
	"watchhouse/dashboard"
)

// certificateWatch is how often the files of certificates are looked at.
const certificateWatch = time.Minute

func (h *Hub) openCertificates(context.Context) (err error) {
	if insecure := h.cfg.Insecure(); len(insecure) > 0 {
		h.log.Warn("other machines reach listeners without encryption", "listeners", insecure)
	}
	if !h.cfg.TLS.Enabled() {
		return nil
	}
	if h.certs, err = certs.Open(h.cfg.TLS); err != nil {
		return fmt.Errorf("open certificates: %w", err)
	}
	for _, warning := range h.certs.Warnings(time.Now()) {
		h.log.Warn("certificate needs attention", "warning", warning)
	}
	return nil
}

// watchCertificates takes renewed ones by itself.
func (h *Hub) watchCertificates(ctx context.Context) error {
	h.certs.Watch(ctx, certificateWatch, h.ReloadCertificates)
	return nil
}

// ReloadCertificates loads the certificates again, for new connections; those that stand go on, unless their certificate has been
// revoked. What cannot be loaded is logged, shows in /readyz and changes nothing. Without TLS it does nothing.
func (h *Hub) ReloadCertificates() {
	if h.certs == nil {
		return
	}
	if err := h.certs.Reload(); err != nil {
		h.log.Error("certificates not reloaded, those of before are served on", "error", err)
		return
	}
	h.log.Info("certificates reloaded", "not_after", h.certs.NotAfter())
	h.broker.Recheck()
}

// describeTLS adds to /readyz what is wrong with encryption; none of it keeps the hub from working.
func (h *Hub) describeTLS(state *dashboard.Health) {
	state.Insecure = h.cfg.Insecure()
	if h.certs == nil {
		return
	}
	// Strangers may read this: paths and subjects are for the log and for watchhouse check.
	if h.certs.Fault() != nil {
		state.Degraded["tls"] = "certificates not reloaded, the log says why"
	} else if len(h.certs.Warnings(time.Now())) > 0 {
		state.Degraded["tls"] = "certificates need attention, watchhouse check says which"
	}
}

func (h *Hub) tlsMetrics() []metric {
	all := []metric{
		{"insecure_listeners", "Listeners that other machines reach without encryption.", false, func() float64 { return float64(len(h.cfg.Insecure())) }},
		{"tls_handshake_failures_total", "Handshakes on the MQTT listener that came to nothing.", true, func() float64 { return float64(h.broker.Stats().TLSFail) }},
	}
	if h.certs == nil {
		return all
	}
	return append(all,
		metric{"tls_not_after_seconds", "When the hub's certificate expires, Unix time.", false, func() float64 { return float64(h.certs.NotAfter().Unix()) }},
		metric{"tls_reload_failures_total", "Reloads of certificates that failed.", true, func() float64 { return float64(h.certs.Failed()) }})
}
