package purser

import (
	"fmt"
	"strings"
)

// ParseTarget reads whom a lock is for: the identifier of a session, person,
// team, vendor or source, or "all".
func ParseTarget(text string) (Target, error) {
	if text == "all" {
		return Target{Kind: TargetAll}, nil
	}
	prefix, _, _ := strings.Cut(text, "_")
	switch prefix {
	case "ses":
		return target[sessionKind](TargetSession, text)
	case "per":
		return target[personKind](TargetPerson, text)
	case "tea":
		return target[teamKind](TargetTeam, text)
	case "ven":
		return target[vendorKind](TargetVendor, text)
	case "src":
		return target[sourceKind](TargetSource, text)
	}
	return Target{}, fmt.Errorf("%w: want ses_, per_, tea_, ven_, src_ or all", ErrBadID)
}

func target[K kindOf](kind TargetKind, text string) (Target, error) {
	id, err := ParseID[K](text)
	return Target{Kind: kind, ID: id}, err
}

// String returns the text form that ParseTarget reads.
func (t Target) String() string {
	switch t.Kind {
	case TargetSession:
		return SessionID(t.ID).String()
	case TargetPerson:
		return PersonID(t.ID).String()
	case TargetTeam:
		return TeamID(t.ID).String()
	case TargetVendor:
		return VendorID(t.ID).String()
	case TargetSource:
		return SourceID(t.ID).String()
	case TargetAll:
		return "all"
	}
	return ""
}
