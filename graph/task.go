package graph

import "github.com/actiongraph/actiongraph/schema"

// task folds TaskCreated and TaskCompleted: one action a task.
func (s *Session) task(f *fact) {
	if f.TaskID == "" {
		s.single(f, Task)
		return
	}
	i, created := s.keyed(f, taskKey(s.id, f.TaskID), Task)
	if created {
		s.put(i, Prop{"task_id", f.TaskID})
	}
	regs := &s.actions.at(i).regs
	if won, taken := s.regs.take(regs, f.stamp(0), classText); won != 0 {
		s.put(i, eventProps(f.Event, Task, taken != 0)...)
	}
	// The latest word on a task is its status; completed beats what came with it.
	if f.Status != "" {
		st := f.stamp(1)
		if f.Status == schema.StatusCompleted {
			st.rank = 0
		}
		st.time = -st.time
		if won, _ := s.regs.take(regs, st, classTool); won != 0 {
			s.put(i, Prop{"status", f.Status})
		}
	}
	s.putPrompt(i, f)
}

// mentionTask returns the task that f says its call is part of, which has a time and a
// place from the calls that say so for as long as it has no facts of its own. It hangs
// under nothing itself: who set it, calls do not say, and it may be one of them.
func (s *Session) mentionTask(f *fact) int32 {
	lane := s.laneOf[f.AgentID]
	i, created := s.action(taskKey(s.id, f.ParentTaskID), Task, lane)
	if created {
		s.put(i, Prop{"task_id", f.ParentTaskID}, Prop{"name", "task: " + gist(f.ParentTaskID)})
	}
	a := s.actions.at(i)
	if a.has(inLane) {
		a.set(inLane, false)
		s.setParent(i, 0)
	}
	if won, _ := s.regs.take(&a.regs, f.stamp(rankStub), classLane); won != 0 {
		s.setLane(i, lane)
	}
	s.setOwn(i, f.at, 0)
	return i
}
