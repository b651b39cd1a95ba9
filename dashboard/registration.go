package dashboard

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

type newDeviceInput struct{ Body NewDevice }

type putDeviceInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body DeviceFields
}

type registrationOutput struct{ Body Registration }

type newDeviceOutput struct {
	Location string `header:"Location"`
	Body     RegisteredDevice
}

type putDeviceOutput struct{ Body RegisteredDevice }

type secretOutput struct{ Body RenewedSecret }

func (s *Server) registrationRoutes(api huma.API) {
	handle(s, api, operation{
		id: "add-device", method: http.MethodPost, path: "/devices", may: registry.PermDevices, summary: "Register a device",
		status: http.StatusCreated, problems: []int{http.StatusConflict, http.StatusServiceUnavailable},
	}, s.addDevice)
	handle(s, api, operation{
		id: "get-registration", method: http.MethodGet, path: "/devices/{id}/registration", may: registry.PermView,
		summary: "What the registry says of a device", problems: []int{http.StatusNotFound},
	}, func(_ context.Context, in *devicePath) (*registrationOutput, error) {
		r, ok := s.registration(in.ID)
		if !ok {
			return nil, notFound("device")
		}
		return &registrationOutput{Body: r}, nil
	})
	handle(s, api, operation{
		id: "replace-device", method: http.MethodPut, path: "/devices/{id}", may: registry.PermDevices,
		summary:  "Change all of a registration; a device with a new secret or kind is disconnected",
		problems: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.replaceDevice)
	handle(s, api, operation{
		id: "delete-device", method: http.MethodDelete, path: "/devices/{id}", may: registry.PermDevices,
		summary: "Remove a device, which is disconnected", status: http.StatusNoContent,
		problems: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}, s.deleteDevice)
	handle(s, api, operation{
		id: "renew-device-secret", method: http.MethodPost, path: "/devices/{id}/secret", may: registry.PermDevices,
		summary: "Make a new secret; the device is disconnected", problems: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.renewSecret)
}

func (s *Server) addDevice(ctx context.Context, in *newDeviceInput) (*newDeviceOutput, error) {
	secret, err := s.registry.AddDevice(ctx, caller(ctx).user.Name, in.Body.device(in.Body.ID), in.Body.Secret)
	if err != nil {
		return nil, err
	}
	s.changed(ctx, "create", "device/"+in.Body.ID)
	out := &newDeviceOutput{Location: apiPrefix + "/devices/" + in.Body.ID, Body: RegisteredDevice{Secret: secret}}
	out.Body.Device, _ = s.registration(in.Body.ID)
	return out, nil
}

func (s *Server) replaceDevice(ctx context.Context, in *putDeviceInput) (*putDeviceOutput, error) {
	secret, err := s.registry.ReplaceDevice(ctx, caller(ctx).user.Name, in.Body.device(in.ID), in.Body.Secret)
	if err != nil {
		return nil, err
	}
	s.changed(ctx, "update", "device/"+in.ID)
	out := &putDeviceOutput{Body: RegisteredDevice{Secret: secret}}
	out.Body.Device, _ = s.registration(in.ID)
	return out, nil
}

func (s *Server) deleteDevice(ctx context.Context, in *devicePath) (*struct{}, error) {
	if err := s.registry.DeleteDevice(ctx, caller(ctx).user.Name, in.ID); err != nil {
		return nil, err
	}
	s.changed(ctx, "delete", "device/"+in.ID)
	return nil, nil
}

func (s *Server) renewSecret(ctx context.Context, in *devicePath) (*secretOutput, error) {
	secret, err := s.registry.RenewSecret(ctx, caller(ctx).user.Name, in.ID)
	if err != nil {
		return nil, err
	}
	s.changed(ctx, "renew_secret", "device/"+in.ID)
	return &secretOutput{Body: RenewedSecret{Secret: secret}}, nil
}

// changed audits a change that has been made. The registry's own chain names the actor too, so a failure here undoes nothing: the
// answer may hold a secret that is shown only once.
func (s *Server) changed(ctx context.Context, action, object string) {
	s.changedBecause(ctx, action, object, "")
}

func (s *Server) changedBecause(ctx context.Context, action, object, reason string) {
	e := AuditEntry{Actor: caller(ctx).user.Name, Action: action, Object: object, Reason: reason}
	if err := s.audit.add(context.WithoutCancel(ctx), e); err != nil {
		s.log.ErrorContext(ctx, "change of the registry not audited", "action", action, "object", object, "error", err)
	}
}

func (s *Server) registration(id string) (Registration, bool) {
	v := s.registry.View()
	d, ok := v.Device(id)
	return registrationOf(v, d), ok
}

func registrationOf(v *registry.View, d registry.Device) Registration {
	r := Registration{
		ID: d.ID, Kind: string(d.Kind), Name: d.Name, Area: d.Area, Lat: d.Lat, Lon: d.Lon, Gateway: d.Gateway, Power: string(d.Power),
		ReportIntervalS: int64(d.ReportInterval.Seconds()), Model: d.Model, Address: d.Address, Settings: d.Settings, Place: d.Place,
		Person: d.Person, OutOfService: d.OutOfService, HasSecret: d.HasSecret, Children: []string{},
	}
	for _, child := range v.Children(d.ID) {
		r.Children = append(r.Children, child.ID)
	}
	return r
}

func (f DeviceFields) device(id string) registry.Device {
	return registry.Device{
		ID: id, Kind: telemetry.Kind(f.Kind), Name: f.Name, Area: f.Area, Lat: f.Lat, Lon: f.Lon, Gateway: f.Gateway,
		Power: telemetry.Power(f.Power), ReportInterval: seconds(f.ReportIntervalS), Model: f.Model, Address: f.Address,
		Settings: f.Settings, Place: f.Place, Person: f.Person, OutOfService: f.OutOfService,
	}
}

// seconds does not overflow: what is too long for a report interval stays too long.
func seconds(n int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Second)
	return time.Duration(max(-most, min(n, most))) * time.Second
}
