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
	if answered(f.Event) {
		s.answeredPermission(f)
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

// answered reports the record of a request by who was asked: it says what was answered,
// but neither which call it was for, nor for what input. No call can be claimed by it.
func answered(e *schema.Event) bool {
	return e.Origin != schema.OriginHook && e.ToolUseID == "" && len(e.ToolInput) == 0
}

// answeredPermission folds such a record.
func (s *Session) answeredPermission(f *fact) {
	lane := s.laneOf[f.AgentID]
	i, created := s.action(schema.NewKey("answered permission", s.id, f.EventID), PermissionRequest, lane)
	if created {
		s.setUnplaced(i, true)
	}
	if won, taken := s.regs.take(&s.actions.at(i).regs, f.stamp(0), classLane|classText); won != 0 {
		s.setLane(i, lane)
		s.put(i, answerProps(f.Event, taken != 0)...)
	}
	s.putPrompt(i, f)
	f.self = i
	s.setOwn(i, f.at, f.Seq)
}

// answerProps gives the properties of a request that was answered. What people filter on
// is out of the JSON.
func answerProps(e *schema.Event, replace bool) []Prop {
	status, name := e.Status, "permission: "+e.ToolName
	if status == "" {
		status = schema.StatusUnknown
	}
	resource := schema.FieldString(e.Extra, "resource")
	if resource != "" && resource != e.ToolName {
		name += ": " + gist(resource)
	}
	props := []Prop{{"name", name}, {"status", status}, {"tool_name", e.ToolName}}
	set := func(name string, v any, present bool) {
		if present {
			props = append(props, Prop{name, v})
		} else if replace {
			props = append(props, Prop{name, nil})
		}
	}
	set("text", clip(e.Content), e.Content != "")
	set("resource", clip(resource), resource != "")
	action := schema.FieldString(e.Extra, "action")
	set("action", clip(action), action != "")
	set("reason", clip(e.Reason), e.Reason != "" && e.Reason != action)
	for _, name := range []string{"allowed", "remember_for_session"} {
		v := string(schema.Field(e.Extra, name))
		set(name, v == "true", v == "true" || v == "false")
	}
	rest := stated(e, "resource", "action", "allowed", "remember_for_session", "permission_mode", "transcript_path")
	set("properties", rest, rest != "")
	return props
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
