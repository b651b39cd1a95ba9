package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"watchhouse/simulators/verify"
)

// verifyFlags are where the hub under test stores readings.
type verifyFlags struct {
	InfluxDB  string        `help:"Compare what was acknowledged with the points in this InfluxDB." name:"influx" placeholder:"URL"`
	Bucket    string        `help:"Its bucket; db/rp in 1.8." default:"watchhouse/autogen" name:"influx-bucket"`
	TokenFile string        `help:"File with its token; user:password in 1.8." name:"influx-token-file" placeholder:"FILE"`
	Wait      time.Duration `help:"How long the hub may take to write the rest." default:"60s"`
}

// errNotKept is a comparison that found a broken promise.
var errNotKept = errors.New("what was acknowledged and what is stored differ")

// run prints the comparison of a fleet that has ended, maybe by the first interrupt; a second one ends the process.
func (f verifyFlags) run(ctx context.Context, std streams, ledger *verify.Ledger) error {
	if f.InfluxDB == "" {
		return nil
	}
	db := verify.InfluxDB{URL: f.InfluxDB, Bucket: f.Bucket}
	if f.TokenFile != "" {
		token, err := os.ReadFile(f.TokenFile)
		if err != nil {
			return badConfigError{err}
		}
		db.Token = strings.TrimSpace(string(token))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.Wait)
	defer cancel()
	result, err := ledger.InfluxDBSettled(ctx, db, time.Second)
	if err != nil {
		return err
	}
	fmt.Fprint(std.out, result)
	if !result.OK() {
		return errNotKept
	}
	return nil
}
