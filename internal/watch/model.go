package watch

import (
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/actiongraph/actiongraph/internal/render"
	_ "github.com/actiongraph/actiongraph/internal/watch/mute" // before Bubble Tea
	"github.com/actiongraph/actiongraph/live"
)

// Model is the screen: the sessions that run, or the one that is followed.
type Model struct {
	style  render.Style
	height int
	now    time.Time
	ready  bool
	trouble

	sessions map[string]*live.Session
	actions  map[string]*history
	order    []string // of the list, newest activity first
	chosen   string   // the session that enter follows
	moved    bool     // by a key; else it is the first
	followed string   // "" is the list
	only     bool     // there is no list: one session was asked for
	back     int      // lines that what is shown ends above the end
}

// trouble is what could not be read, to be said on the screen.
type trouble struct{ said string }

// Tick is the clock: what runs has run for longer.
type Tick time.Time

// NewModel returns the screen of the sessions that run, or of one.
func NewModel(style render.Style, session string, now time.Time) *Model {
	return &Model{
		style: style, height: 24, now: now, only: session != "", followed: session, chosen: session,
		sessions: map[string]*live.Session{}, actions: map[string]*history{},
	}
}

// Init starts the clock.
func (m *Model) Init() tea.Cmd { return tick() }

func tick() tea.Cmd { return tea.Tick(time.Second, func(t time.Time) tea.Msg { return Tick(t) }) }

// Update takes a message over: a live.Change, a Tick, a key, a size of the terminal.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case live.Change:
		return m, m.take(&msg)
	case Tick:
		m.now = time.Time(msg)
		return m, tick()
	case tea.WindowSizeMsg:
		m.style.Width, m.height = max(msg.Width, 20), max(msg.Height, 4)
	case tea.KeyMsg:
		return m, m.key(msg.String())
	}
	return m, nil
}

func (m *Model) take(c *live.Change) tea.Cmd {
	if c.Ready {
		m.ready = true
		return nil
	}
	id := c.Session.SessionID
	if c.Err != nil {
		m.said = render.OneLine(c.Err.Error())
	}
	if c.Gone && id != m.followed {
		delete(m.sessions, id)
		delete(m.actions, id)
	} else if c.Err == nil || !c.Gone {
		m.sessions[id] = &c.Session
		if m.actions[id] == nil {
			m.actions[id] = &history{}
		}
		was := m.actions[id].lines()
		m.actions[id].take(c)
		if id == m.followed && m.back > 0 { // what is being read stays where it is
			m.back = max(1, m.back+m.actions[id].lines()-was)
		}
	}
	m.sort()
	return nil
}

// sort puts what has done something last first.
func (m *Model) sort() {
	m.order = m.order[:0]
	for id := range m.sessions {
		m.order = append(m.order, id)
	}
	slices.SortFunc(m.order, func(a, b string) int {
		if c := m.sessions[b].LastEventAt.Compare(m.sessions[a].LastEventAt); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	if (m.sessions[m.chosen] == nil || !m.moved) && len(m.order) > 0 && !m.only {
		m.chosen = m.order[0]
	}
}

func (m *Model) key(k string) tea.Cmd {
	switch k {
	case "q", "ctrl+c":
		return tea.Quit
	case "ctrl+z":
		return tea.Suspend
	case "esc", "left", "backspace":
		if m.only {
			if k == "esc" {
				return tea.Quit
			}
			return nil
		}
		m.followed, m.back = "", 0
	case "enter", "right":
		if m.followed == "" && m.sessions[m.chosen] != nil {
			m.followed, m.back = m.chosen, 0
		}
	default:
		m.move(k)
	}
	return nil
}

// move moves the choice in the list, or what is shown of a session: 0 lines back is its end,
// which is followed.
func (m *Model) move(k string) {
	page := max(1, m.height-6)
	step := map[string]int{"up": -1, "k": -1, "down": 1, "j": 1, "pgup": -page, "pgdown": page,
		"home": -1 << 30, "g": -1 << 30, "end": 1 << 30, "G": 1 << 30}[k]
	if step == 0 {
		return
	}
	if m.followed != "" {
		m.back = max(0, m.back-step) // the view knows where the beginning is
		return
	}
	if i := slices.Index(m.order, m.chosen); i >= 0 {
		i = min(max(0, i+step), len(m.order)-1)
		m.chosen, m.moved = m.order[i], i > 0
	}
}

// View is the screen as it is now.
func (m *Model) View() string {
	var lines []string
	if m.followed != "" {
		lines = m.sessionView()
	} else {
		lines = m.listView()
	}
	frame := strings.Join(lines[:min(len(lines), m.height)], "\n")
	if !m.style.UTF8 {
		frame = strings.ReplaceAll(frame, "·", "-")
	}
	return frame
}
