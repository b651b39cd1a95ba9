// Package simulators is the folder of everything that pretends to be the outside world. It holds no code itself:
//
//	hudong     the example subdistrict, from a seed
//	device     what a button, a house or a gateway says, and its faults
//	speak      the words of ChirpStack, zigbee2mqtt and ThingsBoard
//	fleet      devices on a broker, with Eclipse Paho
//	scenario   what happens when, what must be seen; the demonstration's story
//	stream     a console without a screen
//	verify     the account of acknowledgements, and its comparison with what was kept
//	packet     MQTT packets for load
//	load       throughput, rate, storms, idle connections, presses
//	report     measurements as text, JSON and a page
//
// They import telemetry for its words only and encode payloads by themselves: a simulator that used the hub's codecs would agree with
// their faults.
//
// # Concurrency and errors
//
// Each package states its own. What they share: a run ends with its context and waits for everything it started; devices that lose their
// connection are no error, they come back as real ones do.
package simulators
