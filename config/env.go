package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

const envPrefix = "WATCHHOUSE_"

// reserved are variables with this prefix that are not keys of the file.
func reserved() []string {
	var names []string
	for _, name := range []string{"ADMIN_PASSWORD", "INFLUXD", "CONFIG", "URL", "TOKEN_FILE", "CA_FILE"} {
		names = append(names, envPrefix+name)
	}
	return names
}

// applyEnv sets keys from WATCHHOUSE_SECTION_KEY; a name that is no key is an error, as in the file.
func applyEnv(cfg *Config, environ []string) error {
	byName := map[string]Key{}
	for _, key := range keysOf(cfg) {
		byName[key.Env] = key
	}
	var faults []error
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(reserved(), name) {
			continue
		}
		if key, ok := byName[name]; !ok {
			faults = append(faults, fmt.Errorf("environment: %s is no key; docs/configuration.md lists them", name))
		} else if err := setText(key.value, value); err != nil {
			faults = append(faults, fmt.Errorf("environment: %s: must be a %s, is %q", name, key.Type, value))
		}
	}
	return errors.Join(faults...)
}

// setText decodes text as the file would; strings are taken as they are.
func setText(target reflect.Value, text string) error {
	if target.Kind() == reflect.String {
		target.SetString(text)
		return nil
	}
	return yaml.Unmarshal([]byte(text), target.Addr().Interface())
}

// Environ is the process's environment, for Load.
func Environ() []string { return os.Environ() }
