package registry

import "slices"

// Role of a user.
type Role string

// Roles. They are not ordered: what each may do is in permissionsOf.
const (
	Viewer     Role = "viewer"     // the wall display 大屏
	Guard      Role = "guard"      // on duty in a safety house 平安屋值守
	Maintainer Role = "maintainer" // 设备管理员
	Operator   Role = "operator"   // 值班员
	Supervisor Role = "supervisor" // 班长
	Admin      Role = "admin"
)

// Roles lists the roles.
func Roles() []Role { return []Role{Viewer, Guard, Maintainer, Operator, Supervisor, Admin} }

// Valid reports whether r is a role.
func (r Role) Valid() bool { return slices.Contains(Roles(), r) }

// Permission names what a role may do.
type Permission string

// Permissions of the first cut.
const (
	PermView    Permission = "view"    // snapshot, stream, incidents, devices
	PermHandle  Permission = "handle"  // acknowledge, note, resolve…
	PermReview  Permission = "review"  // close, reopen
	PermReveal  Permission = "reveal"  // personal data in clear, audited
	PermDevices Permission = "devices" // change devices
	PermUsers   Permission = "users"
	PermJournal Permission = "journal" // raw messages, rejects
)

// Permissions lists what the role may do; nothing for an unknown role.
func (r Role) Permissions() []Permission {
	switch r {
	case Viewer, Guard:
		return []Permission{PermView}
	case Maintainer: // sees raw messages, in which bridges must name no person (docs/operations.md), and no person
		return []Permission{PermView, PermDevices, PermJournal}
	case Operator:
		return []Permission{PermView, PermHandle, PermReveal}
	case Supervisor: // devices, because only a supervisor puts a dead button out of service
		return []Permission{PermView, PermHandle, PermReview, PermReveal, PermDevices, PermJournal}
	case Admin:
		return []Permission{PermView, PermHandle, PermReview, PermReveal, PermDevices, PermUsers, PermJournal}
	}
	return nil
}

// Can reports whether the role has the permission.
func (r Role) Can(p Permission) bool { return slices.Contains(r.Permissions(), p) }
