package certs

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/url"
	"slices"
	"testing"
)

func TestWhomACertificateNames(t *testing.T) {
	uri := func(text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	cases := []struct {
		name string
		cert x509.Certificate
		want []string
	}{
		{"nobody", x509.Certificate{}, nil},
		{"common name", x509.Certificate{Subject: pkix.Name{CommonName: "btn-1"}}, []string{"btn-1"}},
		{"DNS name before common name", x509.Certificate{Subject: pkix.Name{CommonName: "btn-1"}, DNSNames: []string{"btn-2"}}, []string{"btn-2"}},
		{"URI before common name", x509.Certificate{Subject: pkix.Name{CommonName: "btn-1"}, URIs: []*url.URL{uri("urn:watchhouse:device:btn-3")}}, []string{"btn-3"}},
		{"foreign URI", x509.Certificate{Subject: pkix.Name{CommonName: "btn-1"}, URIs: []*url.URL{uri("spiffe://x/btn-9")}}, []string{"btn-1"}},
		{"several", x509.Certificate{DNSNames: []string{"a", "b"}, URIs: []*url.URL{uri("urn:watchhouse:device:c")}}, []string{"c", "a", "b"}},
	}
	for _, c := range cases {
		if got := Names(&c.cert); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
