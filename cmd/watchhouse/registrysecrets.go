package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"watchhouse/registry"
)

// exportWithSecrets gives every device a new secret and writes the devices with them, as simulate --registry reads them. The hub keeps
// only what secrets are checked by, so the ones in use cannot be exported. It is an import, and is audited as one.
func exportWithSecrets(ctx context.Context, std streams, store registryStore) error {
	devices := 0
	if err := store.list(ctx, func(registry.Device) error { devices++; return nil }); err != nil {
		return err
	}
	if err := askTwice(std, devices); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := store.save(ctx, "devices", &text); err != nil {
		return err
	}
	records, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		return fmt.Errorf("read the export: %w", err)
	}
	generate, err := withSecrets(records, func(string) string { return registry.GenerateSecret })
	if err != nil {
		return err
	}
	report, err := store.load(ctx, "devices", bytes.NewReader(generate))
	if err != nil {
		return nothingImported("export --with-secrets", err)
	}
	out, err := withSecrets(records, func(id string) string { return report.Generated[id] })
	if err != nil {
		return err
	}
	if _, err := std.out.Write(out); err != nil {
		return fmt.Errorf("print the devices: %w", err)
	}
	return nil
}

// askTwice wants a yes, and the number of devices that it is about.
func askTwice(std streams, devices int) error {
	answers := bufio.NewReader(std.in)
	for _, ask := range []struct{ question, want string }{
		{fmt.Sprintf("Each of the %d devices gets a new secret. The old ones are void at once, and real devices stay offline until they have theirs.\nType yes to go on: ", devices), "yes"},
		{"Type the number of devices: ", strconv.Itoa(devices)},
	} {
		fmt.Fprint(std.err, ask.question)
		answer, err := answers.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the answer: %w", err)
		}
		if strings.TrimSpace(answer) != ask.want {
			return badConfigError{fmt.Errorf("--with-secrets: want %q, got another answer: nothing was changed", ask.want)}
		}
	}
	return nil
}

// withSecrets is the table with the column secret at its end.
func withSecrets(records [][]string, secret func(id string) string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for i, record := range records {
		cell := "secret"
		if i > 0 {
			cell = secret(record[0])
		}
		if err := w.Write(append(record[:len(record):len(record)], cell)); err != nil {
			return nil, fmt.Errorf("write CSV: %w", err)
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}
