// Package catalog knows what may exist: kinds of device with their events, metrics and report intervals, and models that can be
// bought, with the profiles by which messages other than wh/v1 are read (package profile). It is YAML: catalog.yaml and
// profiles.yaml are shipped, and files of the deployment add to them, so a new kind or model of device needs no Go.
//
// # What it promises
//
// A Catalog is immutable, checked as a whole when it is loaded, and safe for concurrent use. What it does not know is still
// served: a kind, a metric or a model that is in no file has usable defaults, and only the events of the common vocabulary are
// known of it.
//
// # Errors
//
// A fault of a file is a *strictyaml.FaultError with line and column, several of them joined. An id that is defined twice, in one
// file or in two, is a fault: nobody could say which one counts.
package catalog
