package graph

import (
	"cmp"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Claude Code's PermissionRequest names no tool call. It asks for one call of its
// lane with the same tool and input; in the order of time each request claims the
// earliest call that no other claimed. With a host that answers at once the request
// may arrive after the result (facts/agent-hooks-observed.md §1.3).

// lateRequest is how much older than a request the result of its call may be.
const lateRequest = int64(2 * time.Second)

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
		lane := s.laneOf[f.AgentID]
		g = &claimGroup{lane: lane}
		s.claims[key] = g
		in := inputKey(lane, f.ToolName, hash)
		s.askers(in, g)
	}
	if f.Origin == schema.OriginHook {
		g.hooks = addSpan(g.hooks, f.at)
	} else {
		g.addLine(lineFact{uint64(fnvOffset.str(f.EventID)), f.at, f.Seq})
	}
	s.setSmall(g, "permission_mode", schema.FieldString(f.Extra, "permission_mode"), f.stamp(0))
	s.setSmall(g, "prompt_id", f.PromptID, f.stamp(0))
	s.setSmall(g, "properties", permissionProps(f.Event), f.stamp(0))
	name := "permission: " + f.ToolName
	g.nodes = s.settle(g.nodes, g.pair(), claim{
		typ: PermissionRequest, lane: g.lane,
		key: func(k int) schema.Key { return schema.NewKey("permission", key.String(), itoa(k)) },
		props: func(int) []Prop {
			return append([]Prop{{"name", name}, {"tool_name", f.ToolName}}, g.smallProps()...)
		},
		free: true,
	})
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
		s.actions[call].evidence |= evReject
	}
	i, created := s.action(eventKey(s.id, f.EventID), PermissionRequest, s.laneOf[f.AgentID])
	if won, _ := s.actions[i].regs.take(f.stamp(0), classLane); won != 0 {
		s.setLane(i, s.laneOf[f.AgentID])
	}
	if won, _ := s.actions[i].regs.take(f.stamp(0), classText); won != 0 {
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
		s.actions[call].permission++
	}
	s.settleCall(call)
	s.childStatus(i)
}

// inputKey tells calls apart by lane, tool and input.
func inputKey(lane int32, tool string, hash uint64) uint64 {
	return uint64(fnvOffset.num(int64(lane)).str(tool).num(int64(hash)))
}

// shareInput keeps i in the list of calls that have its input, and lets requests
// for that input look at it again.
func (s *Session) shareInput(i int32) {
	a := &s.actions[i]
	in := inputKey(a.lane, s.tools[a.tool], a.hash)
	if a.input != in {
		if a.input != 0 {
			old := s.inputs[a.input]
			s.inputs[a.input] = slices.DeleteFunc(old, func(k int32) bool { return k == i })
			s.reclaim(a.input)
		}
		a.input = in
		s.inputs[in] = append(s.inputs[in], i)
	}
	s.reclaim(in)
}

func (s *Session) reclaim(in uint64) {
	if g := s.asking[in]; g != nil {
		s.claimCalls(g)
	}
}

func (s *Session) askers(in uint64, g *claimGroup) {
	g.input = in
	s.asking[in] = g
}

// claimCalls gives the requests of a group their calls.
func (s *Session) claimCalls(g *claimGroup) {
	calls := slices.Clone(s.inputs[g.input])
	slices.SortFunc(calls, func(x, y int32) int {
		a, b := &s.actions[x], &s.actions[y]
		return cmp.Or(cmp.Compare(a.asked(), b.asked()), slices.Compare(a.key[:], b.key[:]))
	})
	for _, i := range g.nodes {
		asked := s.actions[i].own
		k := slices.IndexFunc(calls, func(c int32) bool {
			a := &s.actions[c]
			return a.asked() <= asked && (a.ended == 0 || a.ended >= asked-lateRequest)
		})
		call := int32(0)
		if k >= 0 {
			call = calls[k]
			calls = slices.Delete(calls, k, k+1)
		}
		s.claimCall(i, call)
	}
}

// asked is when the call was made, as far as facts tell.
func (a *action) asked() int64 {
	if a.startRank != 0 {
		return a.started
	}
	return a.own
}

func (s *Session) claimCall(i, call int32) {
	old := s.actions[i].parent
	if old != call {
		s.setParent(i, call)
		if old != 0 {
			s.actions[old].permission--
			s.settleCall(old)
		}
		if call != 0 {
			s.actions[call].permission++
			s.settleCall(call)
		}
	}
	s.setUnplaced(i, call == 0)
	s.childStatus(i)
}
