package policy_test

import (
	"errors"
	"strings"
	"testing"

	"purser"
	"purser/internal/rule/policy"
)

func defaults(t testing.TB) *policy.Set {
	t.Helper()
	set, err := policy.Default()
	if err != nil {
		t.Fatalf("default policies: %v", err)
	}
	return set
}

func TestDefaultPolicies(t *testing.T) {
	set := defaults(t)
	const (
		agent, lead, desk = purser.RoleAgent, purser.RoleLead, purser.RoleDesk
		security, privacy = purser.RoleSecurity, purser.RolePrivacy
		admin, approver   = purser.RoleAdmin, purser.RoleApprover
	)
	field := func(roles purser.Role, class policy.Class, needs, has purser.Assurance) policy.Ask {
		return policy.Ask{
			Action: policy.Disclose, Roles: roles, Path: purser.PathDesk,
			Field: "field", Class: class, Needs: needs, Assurance: has,
		}
	}
	with := func(ask policy.Ask, change func(*policy.Ask)) policy.Ask { change(&ask); return ask }
	act := func(action policy.Action, roles purser.Role) policy.Ask {
		return policy.Ask{Action: action, Roles: roles, Path: purser.PathDesk}
	}
	emergency := func(a *policy.Ask) { a.Emergency = true }
	linked := func(a *policy.Ask) { a.Linked = true }
	path := func(p purser.Path) func(*policy.Ask) { return func(a *policy.Ask) { a.Path = p } }
	for _, c := range []struct {
		name string
		ask  policy.Ask
		want bool
	}{
		{"agent, name at A1", field(agent, policy.Identity, purser.A1, purser.A1), true},
		{"agent, name at A0", field(agent, policy.Identity, purser.A1, purser.A0), false},
		{"agent, e-mail at A1", field(agent, policy.Channel, purser.A2, purser.A1), false},
		{"agent, e-mail at A2", field(agent, policy.Channel, purser.A2, purser.A2), true},
		{"agent, e-mail at A3", field(agent, policy.Channel, purser.A2, purser.A3), true},
		{"agent, address at A2", field(agent, policy.Place, purser.A3, purser.A2), false},
		{"agent, address at A3", field(agent, policy.Place, purser.A3, purser.A3), true},
		{"agent, meal at A1", field(agent, policy.Preference, purser.A2, purser.A1), false},
		{"agent, note at A2", field(agent, policy.Service, purser.A2, purser.A2), true},
		{"lead, tier at A1", field(lead, policy.Loyalty, purser.A1, purser.A1), true},
		{"desk, tier at A3", field(desk, policy.Loyalty, purser.A1, purser.A3), false},
		{"approver, tier at A3", field(approver, policy.Loyalty, purser.A1, purser.A3), false},
		{"security, tier at A3", field(security, policy.Loyalty, purser.A1, purser.A3), false},
		{"agent who is security too", field(agent|security, policy.Loyalty, purser.A1, purser.A3), false},
		{"agent who is privacy too", field(agent|privacy, policy.Loyalty, purser.A1, purser.A3), false},
		{"nobody", field(0, policy.Loyalty, purser.A0, purser.A3), false},
		{"break-glass, e-mail", with(field(agent, policy.Channel, purser.A2, purser.A0), emergency), true},
		{"break-glass, address", with(field(agent, policy.Place, purser.A3, purser.A0), emergency), false},
		{"linked, name", with(field(agent, policy.Identity, purser.A1, purser.A1), linked), true},
		{"linked, e-mail at A2", with(field(agent, policy.Channel, purser.A2, purser.A2), linked), false},
		{"linked under break-glass", with(with(field(agent, policy.Channel, purser.A2, purser.A2), linked), emergency), false},
		{"by API", with(field(agent, policy.Identity, purser.A1, purser.A1), path(purser.PathAPI)), true},
		{"by export", with(field(agent, policy.Identity, purser.A1, purser.A3), path(purser.PathExport)), false},
		{"by search", with(field(agent, policy.Identity, purser.A1, purser.A3), path(purser.PathSearch)), false},
		{"by every path at once", with(field(agent, policy.Identity, purser.A1, purser.A3), path(purser.PathAll)), false},
		{"class without a name", field(agent, 0, purser.A1, purser.A3), false},

		{"agent claims", act(policy.Claim, agent), true},
		{"lead claims", act(policy.Claim, lead), true},
		{"desk claims", act(policy.Claim, desk), false},
		{"security claims", act(policy.Claim, security), false},
		{"agent identifies", act(policy.Identify, agent), true},
		{"admin identifies", act(policy.Identify, admin|agent), false},
		{"agent sends a code", act(policy.SendCode, agent), true},
		{"approver sends a code", act(policy.SendCode, approver), false},
		{"agent asks break-glass", act(policy.BreakGlass, agent), true},
		{"agent approves break-glass", act(policy.ApproveBreakGlass, agent), false},
		{"lead approves break-glass", act(policy.ApproveBreakGlass, lead), true},
		{"security approves break-glass", act(policy.ApproveBreakGlass, security), false},
		{"lead undoes", act(policy.Undo, lead), true},
		{"agent undoes", act(policy.Undo, agent), false},
		{"security locks", act(policy.Lock, security), true},
		{"lead locks", act(policy.Lock, lead), true},
		{"agent locks", act(policy.Lock, agent), false},
		{"admin locks", act(policy.Lock, admin), false},
		{"admin lifts", act(policy.Lift, admin), true},
		{"agent lifts", act(policy.Lift, agent), false},
		{"privacy proposes", act(policy.Propose, privacy), true},
		{"agent proposes", act(policy.Propose, agent), false},
		{"security votes", act(policy.Vote, security), true},
		{"desk votes", act(policy.Vote, desk), false},
		{"admin imports", act(policy.Import, admin), true},
		{"lead imports", act(policy.Import, lead), false},
		{"agent notes", act(policy.Note, agent), true},
		{"lead opens a case", act(policy.Case, lead), true},
		{"agent wraps up", act(policy.WrapUp, agent), true},
		{"desk notes", act(policy.Note, desk), false},
		{"agent who is privacy too notes", act(policy.Note, agent|privacy), false},
		{"security opens a case", act(policy.Case, security), false},
		{"admin who is agent too wraps up", act(policy.WrapUp, agent|admin), false},
		{"no action", act(0, agent|lead|admin), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, asked := range []string{"first", "remembered"} {
				if got := set.Allow(c.ask); got != c.want {
					t.Errorf("%s: allow %+v = %v, want %v", asked, c.ask, got, c.want)
				}
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	schema, _, err := policy.DefaultText()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, policies string
		want           error
	}{
		{"broken syntax", `permit (principal, action`, policy.ErrInvalid},
		{"unknown action", `permit (principal, action == Action::"read", resource);`, policy.ErrInvalid},
		{"unknown attribute", `permit (principal, action == Action::"disclose", resource) when { resource.colour == "red" };`, policy.ErrInvalid},
		{"unknown role", `permit (principal, action == Action::"claim", resource) when { principal.roles.contains(Role::"king") };`, policy.ErrInvalid},
		{"unknown role in a set", `permit (principal, action == Action::"claim", resource) when { principal.roles.containsAny([Role::"agent", Role::"king"]) };`, policy.ErrInvalid},
		{"unknown path", `permit (principal, action == Action::"claim", resource) when { context.path == Path::"door" };`, policy.ErrInvalid},
		{"context of another action", `permit (principal, action == Action::"claim", resource) when { context.assurance > 1 };`, policy.ErrInvalid},
		{"type error", `permit (principal, action == Action::"disclose", resource) when { resource.needs == "1" };`, policy.ErrInvalid},
		{"too long", strings.Repeat("// nothing\n", 6000), policy.ErrTooLarge},
		{"too many", strings.Repeat(`permit (principal, action == Action::"claim", resource);`+"\n", 129), policy.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := policy.Parse(schema, []byte(c.policies)); !errors.Is(err, c.want) {
				t.Errorf("got error %v, want %v", err, c.want)
			}
		})
	}
	if _, err := policy.Parse([]byte("entity ;"), nil); !errors.Is(err, policy.ErrInvalid) {
		t.Errorf("broken schema: got error %v, want %v", err, policy.ErrInvalid)
	}
}

func TestEmptySetAllowsNothing(t *testing.T) {
	schema, _, err := policy.DefaultText()
	if err != nil {
		t.Fatal(err)
	}
	set, err := policy.Parse(schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := policy.Ask{Action: policy.Claim, Roles: purser.RoleAgent, Path: purser.PathDesk}
	if set.Allow(ask) {
		t.Errorf("allow %+v = true under no policies, want false", ask)
	}
}

func TestVendorsCanBeTold(t *testing.T) {
	schema, policies, err := policy.DefaultText()
	if err != nil {
		t.Fatal(err)
	}
	tight := purser.VendorID{1}
	set, err := policy.Parse(schema, append(policies,
		`forbid (principal in Vendor::"`+tight.String()+`", action == Action::"sendCode", resource);`...))
	if err != nil {
		t.Fatal(err)
	}
	for vendor, want := range map[purser.VendorID]bool{tight: false, {2}: true} {
		ask := policy.Ask{Action: policy.SendCode, Roles: purser.RoleAgent, Path: purser.PathDesk, Vendor: vendor}
		if got := set.Allow(ask); got != want {
			t.Errorf("vendor %v sends codes: got %v, want %v", vendor, got, want)
		}
	}
}

// A forbid that cannot be evaluated must close, though Cedar itself skips it.
// The memory is flooded on the way, so answers survive its emptying.
func TestAnswersDoNotDependOnMemory(t *testing.T) {
	schema, policies, err := policy.DefaultText()
	if err != nil {
		t.Fatal(err)
	}
	set, err := policy.Parse(schema, append(policies, `
forbid (principal, action == Action::"disclose", resource)
when { context.purpose * 9223372036854775807 < 0 };`...))
	if err != nil {
		t.Fatal(err)
	}
	ask := policy.Ask{
		Action: policy.Disclose, Roles: purser.RoleAgent, Path: purser.PathDesk,
		Field: "tier", Class: policy.Loyalty, Needs: purser.A1, Assurance: purser.A1,
	}
	fails := ask
	fails.Purpose = 200
	for round := range 2 {
		if !set.Allow(ask) {
			t.Errorf("round %d: tier at A1 refused, want allowed", round)
		}
		if set.Allow(fails) {
			t.Errorf("round %d: allowed though a forbid overflowed, want refused", round)
		}
		for i := range 5000 {
			flood := ask
			flood.Vendor = purser.VendorID{1, byte(i), byte(i >> 8)}
			set.Allow(flood)
		}
	}
}

func TestHashNamesOneText(t *testing.T) {
	schema, policies, err := policy.DefaultText()
	if err != nil {
		t.Fatal(err)
	}
	first := defaults(t).Hash()
	same, err := policy.Parse(schema, policies)
	if err != nil {
		t.Fatal(err)
	}
	if same.Hash() != first {
		t.Errorf("same text: got hash %x, want %x", same.Hash(), first)
	}
	moved, err := policy.Parse(append(schema, '\n'), policies)
	if err != nil {
		t.Fatal(err)
	}
	if moved.Hash() == first {
		t.Errorf("changed schema keeps the hash %x", first)
	}
}

func FuzzPolicy(f *testing.F) {
	schema, policies, err := policy.DefaultText()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(policies)
	f.Add([]byte(`permit (principal, action, resource) when { ` + strings.Repeat("(", 2000) + "true" + strings.Repeat(")", 2000) + " };"))
	f.Add([]byte(`forbid (principal, action == Action::"disclose", resource) when { resource.name like "\u{202e}*" };`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := policy.Parse(schema, text)
		if err != nil {
			return
		}
		ask := policy.Ask{
			Action: policy.Disclose, Roles: purser.RoleAgent, Path: purser.PathDesk,
			Field: "tier", Class: policy.Loyalty, Needs: purser.A1, Assurance: purser.A1,
		}
		if first, second := set.Allow(ask), set.Allow(ask); first != second {
			t.Errorf("one ask, two answers: %v and %v", first, second)
		}
	})
}

func BenchmarkAllow(b *testing.B) {
	set := defaults(b)
	ask := policy.Ask{
		Action: policy.Disclose, Roles: purser.RoleAgent, Path: purser.PathDesk,
		Field: "tier", Class: policy.Loyalty, Needs: purser.A1, Assurance: purser.A1,
	}
	for b.Loop() {
		set.Allow(ask)
	}
}
