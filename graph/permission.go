package graph

import (
	"github.com/actiongraph/actiongraph/schema"
)

// permission folds PermissionRequest and PermissionDenied.
func (s *Session) permission(f *fact) {
	if f.ToolUseID != "" {
		s.namedPermission(f)
		return
	}
	hash := inputHash(f.Event)
	key := schema.NewKey("permissions", s.id, f.AgentID, f.ToolName, hexSum(hash))
	g := s.claims[key]
	if g == nil {
		g = &claimGroup{lane: s.laneOf[f.AgentID]}
		s.claims[key] = g
		s.openClaims(g, inputKey(g.lane, f.ToolName, hash))
	}
	s.setSmall(g, "permission_mode", schema.FieldString(f.Extra, "permission_mode"), f.stamp(0))
	s.setSmall(g, "prompt_id", f.PromptID, f.stamp(0))
	s.setSmall(g, "properties", permissionProps(f.Event), f.stamp(0))
	name := "permission: " + f.ToolName
	from := s.add(g, f, claim{
		typ: PermissionRequest,
		key: func(k int) schema.Key { return schema.NewKey("permission", key.String(), itoa(k)) },
		props: func(int) []Prop {
			return append([]Prop{{"name", name}, {"tool_name", f.ToolName}}, g.smallProps()...)
		},
		free: true,
	})
	if from < g.calls.settled {
		g.calls.unsettle()
	}
	s.claimCalls(g)
}

func permissionProps(e *schema.Event) string {
	if raw := schema.Field(e.Extra, "permission_suggestions"); raw != nil {
		return `{"permission_suggestions":` + string(cutJSON(raw)) + `}`
	}
	return ""
}

// namedPermission folds a permission fact that names its call: PermissionDenied, or
// a recorded request.
func (s *Session) namedPermission(f *fact) {
	call, _ := s.callAction(f.ToolUseID, s.laneOf[f.AgentID])
	s.stub(call, f)
	if f.Status == schema.StatusDenied {
		s.callOf(call).evidence |= evReject
	}
	i, created := s.action(eventKey(s.id, f.EventID), PermissionRequest, s.actions.at(call).lane)
	if won, _ := s.regs.take(&s.actions.at(i).regs, f.stamp(0), classText); won != 0 {
		var reason any
		if f.Reason != "" {
			reason = f.Reason
		}
		s.put(i, Prop{"name", "permission: " + f.ToolName}, Prop{"tool_name", f.ToolName},
			Prop{"tool_use_id", f.ToolUseID}, Prop{"reason", reason})
	}
	s.putPrompt(i, f)
	f.self = i
	s.setOwn(i, f.at, f.Seq)
	if created {
		s.setParent(i, call)
		s.callOf(call).permission++
	}
	s.settleCall(call)
	s.childStatus(i)
}
