package policy

import (
	"github.com/cedar-policy/cedar-go"

	"purser"
)

// Action is what somebody wants to do.
type Action uint8

// The actions, as the schema names them.
const (
	Disclose Action = 1 + iota
	Claim
	Identify
	SendCode
	BreakGlass
	ApproveBreakGlass
	Undo
	Lock
	Lift
	Propose
	Vote
	Import
	Amend
	AskMandate
	ApproveMandate
	CallBack
	Note   // append a note
	Case   // open a case, move one on, give one its customer
	WrapUp // say what a contact came to
	Erase
	Hold
)

// Class groups fields for policies.
type Class uint8

// The classes, as the schema names them.
const (
	Identity   Class = 1 + iota // name, salutation, gender
	Channel                     // e-mail, phone
	Place                       // address
	Loyalty                     // loyalty number, tier, points
	Preference                  // meal
	Service                     // case, note
)

// Ask is one question. It is comparable: equal asks have equal answers under
// one set. The parts about a field are zero for every action but Disclose.
type Ask struct {
	Action Action
	Roles  purser.Role
	Vendor purser.VendorID
	Path   purser.Path // exactly one

	Field     string // the schema's name
	Class     Class
	Needs     purser.Assurance
	Masked    bool
	Assurance purser.Assurance
	Emergency bool
	Linked    bool
	Purpose   purser.Purpose
}

// name returns what the schema calls the action, and the type of thing it is
// done to.
func (a Action) name() (action, resource cedar.String) {
	switch a {
	case Disclose:
		return "disclose", "Field"
	case Claim:
		return "claim", "Contact"
	case Identify:
		return "identify", "Contact"
	case SendCode:
		return "sendCode", "Contact"
	case BreakGlass:
		return "breakGlass", "Contact"
	case ApproveBreakGlass:
		return "approveBreakGlass", "Contact"
	case Undo:
		return "undo", "Contact"
	case Lock:
		return "lock", "Target"
	case Lift:
		return "lift", "Target"
	case Propose:
		return "propose", "Change"
	case Vote:
		return "vote", "Change"
	case Import:
		return "import", "Batch"
	case Amend:
		return "amend", "Contact"
	case AskMandate:
		return "askMandate", "Mandate"
	case ApproveMandate:
		return "approveMandate", "Mandate"
	case CallBack:
		return "callBack", "Mandate"
	case Note:
		return "note", "Contact"
	case Case:
		return "case", "Contact"
	case WrapUp:
		return "wrapUp", "Contact"
	case Erase:
		return "erase", "Customer"
	case Hold:
		return "hold", "Customer"
	}
	return "", ""
}

func (c Class) name() cedar.String {
	switch c {
	case Identity:
		return "identity"
	case Channel:
		return "channel"
	case Place:
		return "place"
	case Loyalty:
		return "loyalty"
	case Preference:
		return "preference"
	case Service:
		return "service"
	}
	return ""
}

func pathName(p purser.Path) cedar.String {
	switch p {
	case purser.PathDesk:
		return "desk"
	case purser.PathAPI:
		return "api"
	case purser.PathSearch:
		return "search"
	case purser.PathExport:
		return "export"
	case purser.PathNotices:
		return "notices"
	case purser.PathAll:
		return ""
	}
	return ""
}

// rolesOf lists the roles of a set as entities of the schema.
func rolesOf(r purser.Role) cedar.Set {
	var held []cedar.Value
	for _, role := range []struct {
		bit  purser.Role
		name cedar.String
	}{
		{purser.RoleAgent, "agent"},
		{purser.RoleLead, "lead"},
		{purser.RoleDesk, "desk"},
		{purser.RoleApprover, "approver"},
		{purser.RoleSecurity, "security"},
		{purser.RolePrivacy, "privacy"},
		{purser.RoleAdmin, "admin"},
		{purser.RoleInvestigator, "investigator"},
	} {
		if r.Has(role.bit) {
			held = append(held, cedar.NewEntityUID("Role", role.name))
		}
	}
	return cedar.NewSet(held...)
}

// request turns the ask into what Cedar decides about. It is false for an ask
// that the schema has no word for, which nothing allows.
func (a Ask) request() (cedar.Request, cedar.EntityMap, bool) {
	action, kind := a.Action.name()
	path := pathName(a.Path)
	if action == "" || path == "" || (a.Action == Disclose && a.Class.name() == "") {
		return cedar.Request{}, nil, false
	}
	person := cedar.NewEntityUID("Person", "asker")
	vendor := cedar.NewEntityUID("Vendor", cedar.String(a.Vendor.String()))
	resource := cedar.NewEntityUID(cedar.EntityType(kind), cedar.String(a.Field))
	entities := cedar.EntityMap{
		vendor: {UID: vendor},
		person: {UID: person, Parents: cedar.NewEntityUIDSet(vendor), Attributes: cedar.NewRecord(cedar.RecordMap{
			"roles": rolesOf(a.Roles),
			"tier":  cedar.Long(a.Roles.Tier()),
		})},
		resource: a.resource(resource),
	}
	return cedar.Request{
		Principal: person,
		Action:    cedar.NewEntityUID("Action", action),
		Resource:  resource,
		Context:   a.context(path),
	}, entities, true
}

func (a Ask) resource(uid cedar.EntityUID) cedar.Entity {
	if a.Action != Disclose {
		return cedar.Entity{UID: uid}
	}
	return cedar.Entity{UID: uid, Attributes: cedar.NewRecord(cedar.RecordMap{
		"name":   cedar.String(a.Field),
		"class":  cedar.NewEntityUID("Class", a.Class.name()),
		"needs":  cedar.Long(a.Needs),
		"masked": cedar.Boolean(a.Masked),
	})}
}

func (a Ask) context(path cedar.String) cedar.Record {
	context := cedar.RecordMap{"path": cedar.NewEntityUID("Path", path)}
	if a.Action == Disclose {
		context["assurance"] = cedar.Long(a.Assurance)
		context["emergency"] = cedar.Boolean(a.Emergency)
		context["linked"] = cedar.Boolean(a.Linked)
		context["purpose"] = cedar.Long(a.Purpose)
	}
	return cedar.NewRecord(context)
}
