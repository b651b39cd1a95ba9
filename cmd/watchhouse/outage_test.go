package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"watchhouse/ingest/influxdb"
)

// outageKills is how often the hub, the database or both are killed in turns.
const outageKills = 9

// TestKilledDatabaseAndHubLoseAndDoubleNoReading kills InfluxDB and the whole program under load. Afterwards the verifier, which reads the
// database by its own code, finds every acknowledged reading there once.
func TestKilledDatabaseAndHubLoseAndDoubleNoReading(t *testing.T) {
	w := newTown(t)
	hub := startHub(t, w.data, "127.0.0.1:0", "127.0.0.1:0")
	type verdict struct {
		code   int
		stdout string
	}
	said, mqtt := make(chan verdict, 1), hub.MQTT
	go func() {
		code, stdout, _ := w.simulate(mqtt, w.database.URL(), "--speed", "1500", "--for", "14s", "--verify-wait", "60s")
		said <- verdict{code, stdout}
	}()
	hub = killInTurns(t, w.data, hub, w.database)
	defer hub.kill(t)
	v := <-said
	kept(t, v.code, v.stdout)
}

// killInTurns kills the hub, the database and both, and gives the hub that runs at the end.
func killInTurns(t *testing.T, data string, hub *child, database *influxdb.Server) *child {
	t.Helper()
	for n := range outageKills {
		time.Sleep(500*time.Millisecond + rand.N(time.Second)) // where in a batch the kill falls is the point of this test
		if n%3 != 0 {
			if err := database.Kill(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(rand.N(time.Second)) // an outage of the database, in which the hub goes on
		}
		if n%3 != 1 {
			hub.kill(t)
			hub = startHub(t, data, hub.HTTP, hub.MQTT)
		}
		if n%3 == 0 {
			continue
		}
		if err := database.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return hub
}
