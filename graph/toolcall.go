package graph

import (
	"github.com/actiongraph/actiongraph/schema"
)

// Classes of a ToolCall's and a ToolResult's properties.
const (
	classTool     class = 1 << iota // tool_name, tool_use_id, is_mcp, mcp_server
	classInput                      // command, file_path, url, pattern, name, properties
	classLane                       // agent_id
	classPrompt                     // prompt_id
	classMode                       // permission_mode
	classModel                      // model
	classDuration                   // duration_ms
	classText                       // text, error_message, error_type, exit_code, properties, name
	classMeta                       // metadata
	classTask                       // the task that it is part of
)

// Ranks of the facts about one call. What PostToolUse says ran is what ran: a hook
// may have changed the input (updatedInput) after PreToolUse; PostToolBatch has
// defaults filled in that nobody asked for, so it comes last.
const (
	rankPost uint8 = iota
	rankPre
	rankLine  // the transcript's tool_use and tool_result lines
	rankBatch // PostToolBatch, PermissionDenied
	rankStub  // another fact's mention
)

func callRank(e *schema.Event) uint8 {
	switch {
	case e.Origin == schema.OriginTranscript:
		return rankLine
	case e.EventType == schema.ToolEnd:
		return rankPost
	case e.EventType == schema.ToolStart:
		return rankPre
	}
	return rankBatch
}

// toolStart folds PreToolUse, a tool_use line, or a recorded call.
func (s *Session) toolStart(f *fact) {
	i, was := s.call(f)
	c := s.callOf(i)
	if f.Origin == schema.OriginHook {
		c.evidence |= evAsked
	}
	if f.Status == schema.StatusPending {
		c.evidence |= evPending
	}
	rank := callRank(f.Event)
	if c.startRank == 0 || rank < c.startRank || rank == c.startRank && f.at < c.started {
		c.startRank, c.started = rank, f.at
		s.put(i, Prop{"started_at", Time(f.at)})
	}
	s.shareInput(i, was)
	s.settleCall(i)
}

// toolEnd folds everything that says how a call ended: PostToolUse,
// PostToolUseFailure, an entry of PostToolBatch, a tool_result line.
func (s *Session) toolEnd(f *fact) {
	if f.ToolUseID == "" {
		return // PostToolBatch without calls
	}
	if failedCall(f.Event) {
		s.tell(f, eventKey(s.id, f.EventID))
	}
	i, was := s.call(f)
	c := s.callOf(i)
	c.evidence |= endEvidence(f.Event)
	if rank := callRank(f.Event); c.ended == 0 || rank < c.endRank || rank == c.endRank && f.at < c.ended {
		c.endRank, c.ended = rank, f.at
		s.put(i, Prop{"ended_at", Time(f.at)})
	}
	if f.DurationMS != nil {
		if won, _ := s.regs.take(&s.actions.at(i).regs, f.stamp(callRank(f.Event)), classDuration); won != 0 {
			s.put(i, Prop{"duration_ms", *f.DurationMS})
		}
	}
	s.shareInput(i, was)

	r, created := s.action(toolResultKey(s.id, f.ToolUseID), ToolResult, s.actions.at(i).lane)
	if created {
		s.setParent(r, i)
		s.showStatus(r, s.actions.at(i).status)
		s.put(r, Prop{"tool_use_id", f.ToolUseID})
		s.nameResult(r, s.tools[s.callOf(i).tool])
	}
	f.self = r
	s.setOwn(r, f.at, f.Seq)
	st := f.stamp(callRank(f.Event))
	regs := &s.actions.at(r).regs
	if won, taken := s.regs.take(regs, st, classText); won != 0 {
		s.put(r, resultProps(f.Event, taken != 0)...)
	}
	s.putPrompt(r, f)
	s.settleCall(i)
}

// setDuration derives the duration of a call that ran from its two ends, where no
// fact states one. A denied call only waited, and one that never ran took no time.
func (s *Session) setDuration(i int32) {
	a := s.actions.at(i)
	if s.regs.held(a.regs, classDuration) {
		return
	}
	took, c := int64(0), s.callOf(i)
	switch statuses[a.status] {
	case schema.StatusCompleted, schema.StatusFailed:
		if !c.never && c.startRank != 0 && c.ended > c.started {
			took = c.ended - c.started
		}
	}
	if took == c.took {
		return
	}
	c.took = took
	if took == 0 {
		s.put(i, Prop{"duration_ms", nil})
	} else {
		s.put(i, Prop{"duration_ms", float64(took) / 1e6})
	}
}

// call folds what f says about the call itself, and returns it with the extent that
// it had before.
func (s *Session) call(f *fact) (i int32, was extent) {
	lane := s.laneOf[f.AgentID]
	i, created := s.callAction(f.ToolUseID, lane)
	was = s.extent(i)
	f.self = i
	rank := callRank(f.Event)
	// Who and where: the earliest stage of the call says it, so that a call that
	// ends as it began is not written again.
	first := rank
	switch rank {
	case rankPre:
		first = rankPost
	case rankPost:
		first = rankPre
	}
	want := classLane
	if f.ToolName != "" {
		want |= classTool
	}
	if f.PromptID != "" {
		want |= classPrompt
	}
	if schema.Field(f.Extra, "permission_mode") != nil {
		want |= classMode
	}
	if f.Model != "" {
		want |= classModel
	}
	task, meta := int32(0), callMetadata(f.Event)
	if f.ParentTaskID != "" {
		task = s.mentionTask(f)
		want |= classTask
	}
	if meta != "" {
		want |= classMeta
	}
	won, _ := s.regs.take(&s.actions.at(i).regs, f.stamp(first), want)
	if won&classTool != 0 {
		s.nameTool(i, f.ToolName)
	}
	if won&classPrompt != 0 {
		s.put(i, Prop{"prompt_id", f.PromptID})
	}
	if won&classMode != 0 {
		s.put(i, Prop{"permission_mode", schema.FieldString(f.Extra, "permission_mode")})
	}
	if won&classModel != 0 {
		s.put(i, Prop{"model", f.Model})
	}
	if won&classMeta != 0 {
		s.put(i, Prop{"metadata", meta})
	}
	s.takeInput(i, f, rank)
	s.askType(i, f, rank)
	s.setOwn(i, f.at, f.Seq)
	if won&classLane != 0 {
		s.moveCall(i, lane)
	}
	switch {
	case won&classTask != 0:
		s.actions.at(i).set(inLane, false)
		s.setParent(i, task)
	case created:
		s.adopt(i)
	}
	return i, was
}

// callMetadata is what else the producer of a call, who is no runtime, says of it. Its tags
// and what it is related to are edges, too: those tell neither in which order they were said
// nor the hash of an action that is not there.
func callMetadata(e *schema.Event) string {
	but := []string{"transcript_path", "permission_mode"}
	if isSkill(e) {
		but = append(but, "inventory") // edges tell of the files
	}
	meta := stated(e, but...)
	if e.Origin != schema.OriginAudit && e.Origin != schema.OriginAPI {
		return meta
	}
	for _, list := range []struct {
		name   string
		values []string
	}{{"tags", e.Tags}, {"related_to", e.RelatedTo}} {
		if said := schema.Field(e.Extra, list.name); len(list.values) == 0 || len(said) > 0 && string(said) != "null" {
			continue
		}
		out := []byte{'{'}
		if meta != "" {
			out = append([]byte(meta[:len(meta)-1]), ',')
		}
		out = append(schema.AppendString(out, list.name), ':')
		meta = string(append(append(out, cutJSON(appendStrings(nil, list.values))...), '}'))
	}
	return meta
}

// appendStrings appends a JSON list.
func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = schema.AppendString(dst, s)
	}
	return append(dst, ']')
}

// callAction returns the action of a call, which may be new.
func (s *Session) callAction(toolUseID string, lane int32) (i int32, created bool) {
	i, created = s.action(toolCallKey(s.id, toolUseID), ToolCall, lane)
	if created {
		s.actions.at(i).set(inLane, true)
		s.put(i, Prop{"tool_use_id", toolUseID})
	}
	return i, created
}

// moveCall puts a call, and what is part of it, in the lane that the strongest fact
// names. Permission requests without a name stay: they claim anew.
func (s *Session) moveCall(i, lane int32) {
	if s.actions.at(i).lane == lane {
		return
	}
	move := func() {
		s.setLane(i, lane)
		for k, next := s.actions.at(i).child, int32(0); k != 0; k = next {
			next = s.actions.at(k).next // k itself may change places
			switch a := s.actions.at(k); actionTypes[a.typ] {
			case ToolResult, StructuredOutput:
				s.setLane(k, lane)
			case PermissionRequest:
				if a.regs != 0 {
					s.setLane(k, lane)
				}
			}
		}
	}
	if s.callOf(i).spawns {
		s.untangle(s.spawned[i], move)
	} else {
		move()
	}
}

func (s *Session) nameTool(i int32, name string) {
	c := s.callOf(i)
	renamed := c.tool != 0 && s.tools[c.tool] != name
	if renamed {
		s.delEdge(UsedTool, s.handle(i), s.named(Ref{LabelTool, s.tools[c.tool]}))
	}
	c.tool = s.tool(name)
	ref, props := toolNode(name)
	s.putRef(ref, props...)
	s.putEdge(UsedTool, s.handle(i), s.named(ref))
	if renamed && len(props) == 1 {
		props = append(props, Prop{"mcp_server", nil})
	}
	if !s.regs.held(s.actions.at(i).regs, classInput) { // else the input's caption stands
		props = append(props, Prop{"name", name})
	}
	s.put(i, append([]Prop{{"tool_name", name}}, props...)...)
	for k := s.actions.at(i).child; k != 0; k = s.actions.at(k).next {
		if actionTypes[s.actions.at(k).typ] == ToolResult {
			s.nameResult(k, name)
		}
	}
}

// nameResult gives a result the name of its call's tool: a tool_result line has none.
func (s *Session) nameResult(r int32, tool string) {
	if tool == "" {
		s.put(r, Prop{"name", "result"})
		return
	}
	s.put(r, Prop{"tool_name", tool}, Prop{"name", tool + " result"})
}

// takeInput sets the properties that come from the input. A fact that repeats the
// input which is there takes it over without writing it again.
func (s *Session) takeInput(i int32, f *fact, rank uint8) {
	if len(f.ToolInput) == 0 {
		return
	}
	c, hash := s.callOf(i), inputHash(f.Event)
	won, taken := s.regs.take(&s.actions.at(i).regs, f.stamp(rank), classInput)
	if won == 0 {
		return
	}
	if tool := s.tool(f.ToolName); taken == 0 || hash != c.hash || tool != c.inputOf {
		c.hash, c.inputOf = hash, tool
		s.put(i, inputProps(f.Event, taken != 0)...)
	}
	s.useFiles(i, f)
}

func inputHash(e *schema.Event) uint64 {
	if e.InputHash != "" {
		return uint64(fnvOffset.str(e.InputHash))
	}
	return uint64(fnvOffset.longBytes(e.ToolInput))
}

func (s *Session) putPrompt(i int32, f *fact) {
	if f.PromptID == "" {
		return
	}
	if won, _ := s.regs.take(&s.actions.at(i).regs, f.stamp(0), classPrompt); won != 0 {
		s.put(i, Prop{"prompt_id", f.PromptID})
	}
}

// structuredOutput folds the result that the runtime validated against a schema.
func (s *Session) structuredOutput(f *fact) {
	if f.ToolUseID == "" {
		s.single(f, StructuredOutput)
		return
	}
	call, _ := s.callAction(f.ToolUseID, s.laneOf[f.AgentID])
	s.stub(call, f)
	i, created := s.action(schema.NewKey("structured_output", s.id, f.ToolUseID), StructuredOutput, s.actions.at(call).lane)
	if created {
		s.setParent(i, call)
	}
	f.self = i
	s.setOwn(i, f.at, f.Seq)
	if won, _ := s.regs.take(&s.actions.at(i).regs, f.stamp(callRank(f.Event)), classText); won != 0 {
		s.put(i, Prop{"tool_use_id", f.ToolUseID}, Prop{"tool_name", f.ToolName},
			Prop{"name", "StructuredOutput"}, Prop{"status", schema.StatusCompleted}, Prop{"text", clip(string(f.Result))})
	}
	s.putPrompt(i, f)
}

// stub gives a call that only another fact mentions a time and a place, until its
// own facts come.
func (s *Session) stub(i int32, f *fact) {
	a := s.actions.at(i)
	was := s.extent(i)
	if !a.has(isLinked) {
		defer s.adopt(i)
	}
	if won, _ := s.regs.take(&a.regs, f.stamp(rankStub), classLane); won != 0 {
		s.moveCall(i, s.laneOf[f.AgentID])
	}
	s.setOwn(i, f.at, 0)
	if s.callOf(i).input != 0 {
		s.shareInput(i, was)
	}
	s.settleCall(i)
}

// underCall makes an action that is one event a child of the call that the least of its
// facts which name one names.
func (s *Session) underCall(i int32, f *fact) {
	call, _ := s.callAction(f.ToolUseID, s.laneOf[f.AgentID])
	s.stub(call, f)
	if won, _ := s.regs.take(&s.actions.at(i).regs, f.stamp(0), classTool); won != 0 {
		s.actions.at(i).set(inLane, false)
		s.setParent(i, call)
	}
}
