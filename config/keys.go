package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Key is one setting: its place in the file, its variable, its type in words and its default.
type Key struct {
	Path    string // section.key
	Env     string // WATCHHOUSE_SECTION_KEY
	Type    string
	Default string
	value   reflect.Value
}

// Keys lists every setting in the order of the file.
func Keys() []Key {
	cfg := Default()
	return keysOf(&cfg)
}

func keysOf(cfg *Config) []Key {
	return collect(nil, "", reflect.ValueOf(cfg).Elem())
}

func collect(keys []Key, prefix string, section reflect.Value) []Key {
	for i := range section.NumField() {
		name, _, _ := strings.Cut(section.Type().Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		field := section.Field(i)
		if field.Kind() == reflect.Struct {
			keys = collect(keys, prefix+name+".", field)
			continue
		}
		path := prefix + name
		keys = append(keys, Key{
			Path: path, Env: envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_")),
			Type: typeName(field), Default: defaultText(field), value: field,
		})
	}
	return keys
}

func typeName(field reflect.Value) string {
	if field.Type() == reflect.TypeFor[time.Duration]() {
		return "duration"
	}
	switch field.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "list"
	case reflect.Float64:
		return "number"
	default:
		return "whole number"
	}
}

func defaultText(field reflect.Value) string {
	if field.Kind() == reflect.Slice && field.Len() == 0 || field.IsZero() && field.Kind() == reflect.String {
		return ""
	}
	return fmt.Sprint(field.Interface())
}
