package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"modernc.org/sqlite"
)

// writer is the connection that writes, and its statements. It is the driver's own:
// database/sql, which is made for many users of many connections, took 4 % of the time of
// an Apply for its locks, and a quarter of what it allocated for copies of the arguments.
// A writer has one user at a time.
type writer struct {
	dsn      string
	conn     driverConn
	stmts    map[string]driverStmt
	rowStmts map[rowStatement]driverStmt
	args     []driver.NamedValue // of the statement that runs
	rows     int                 // written since the log was folded in
	folding  sync.Mutex          // held while it is: see committed
}

// The driver has these, whatever database/sql asks of drivers in general.
type (
	driverConn interface {
		driver.Conn
		driver.ExecerContext
		driver.ConnPrepareContext
	}
	driverStmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
)

// maxRowStatements bounds the prepared INSERTs and UPDATEs: real sessions have some
// forty sets of columns, and a source with thousands must not fill the memory.
const maxRowStatements = 512

func newWriter(dsn string) (*writer, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	c, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	conn, ok := c.(driverConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T lacks a method", c), c.Close())
	}
	return &writer{dsn: dsn, conn: conn, stmts: map[string]driverStmt{}, rowStmts: map[rowStatement]driverStmt{}}, nil
}

func (w *writer) close() error {
	w.folding.Lock() // until it is done
	defer w.folding.Unlock()
	w.closeRows()
	for _, st := range w.stmts {
		st.Close()
	}
	return w.conn.Close() // the last connection folds the WAL in
}

func (w *writer) closeRows() {
	for _, st := range w.rowStmts {
		st.Close()
	}
	clear(w.rowStmts)
}

// do runs a script. It is the one way to run something that ends with ctx: the driver
// starts a goroutine for each statement that could be cancelled, which would double the
// cost of the others.
func (w *writer) do(ctx context.Context, script string) error {
	_, err := w.conn.ExecContext(ctx, script, nil)
	return err
}

func (w *writer) prepare(text string) (driverStmt, error) {
	st, err := w.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	s, ok := st.(driverStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T lacks a method", st), st.Close())
	}
	return s, nil
}

// prepared returns the statement for text, prepared on first use.
func (w *writer) prepared(text string) (driverStmt, error) {
	if st := w.stmts[text]; st != nil {
		return st, nil
	}
	st, err := w.prepare(text)
	if err == nil {
		w.stmts[text] = st
	}
	return st, err
}

// preparedRow is prepared for the INSERTs and UPDATEs of rows.
func (w *writer) preparedRow(k rowStatement) (driverStmt, error) {
	if st := w.rowStmts[k]; st != nil {
		return st, nil
	}
	if len(w.rowStmts) >= maxRowStatements {
		w.closeRows()
	}
	st, err := w.prepare(k.text())
	if err == nil {
		w.rowStmts[k] = st
	}
	return st, err
}

// arg appends an argument of the next run: an int64, float64, string, []byte or nil.
func (w *writer) arg(v any) {
	w.args = append(w.args, driver.NamedValue{Ordinal: len(w.args) + 1, Value: v})
}

// run executes the statement with the arguments that arg was given.
func (w *writer) run(st driverStmt) error {
	_, err := st.ExecContext(context.Background(), w.args)
	w.clearArgs()
	w.rows++
	return err
}

func (w *writer) clearArgs() {
	clear(w.args) // they hold texts
	w.args = w.args[:0]
}

func (w *writer) exec(text string, args ...any) error {
	st, err := w.prepared(text)
	if err != nil {
		return err
	}
	for _, v := range args {
		w.arg(v)
	}
	return w.run(st)
}

// stmt is a statement with its arguments.
type stmt struct {
	text string
	args []any
}

func (w *writer) execAll(stmts ...stmt) error {
	for _, st := range stmts {
		if err := w.exec(st.text, st.args...); err != nil {
			return err
		}
	}
	return nil
}

// query calls each with every row; the slice is the same each time, what is in it is not.
func (w *writer) query(each func(vals []any) error, text string, args ...any) (err error) {
	st, err := w.prepared(text)
	if err != nil {
		return err
	}
	for _, v := range args {
		w.arg(v)
	}
	rows, err := st.QueryContext(context.Background(), w.args)
	w.clearArgs()
	if err != nil {
		return err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	dest := make([]driver.Value, len(rows.Columns()))
	vals := make([]any, len(dest))
	for {
		if err := rows.Next(dest); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		for i, v := range dest {
			vals[i] = v
		}
		if err := each(vals); err != nil {
			return err
		}
	}
}

// queryRow reads the first row; Scan fails with sql.ErrNoRows where there is none.
func (w *writer) queryRow(text string, args ...any) scanner {
	r := firstRow{err: sql.ErrNoRows}
	err := w.query(func(vals []any) error {
		if r.vals == nil {
			r = firstRow{vals: slices.Clone(vals)}
		}
		return nil
	}, text, args...)
	if err != nil {
		r.err = err
	}
	return r
}

// scanner is a row, or why there is none.
type scanner interface{ Scan(dest ...any) error }

type firstRow struct {
	vals []any
	err  error
}

// Scan sets what each of dest points at: an int64, bool, []byte or any.
func (r firstRow) Scan(dest ...any) error {
	for i := 0; r.err == nil && i < len(r.vals); i++ {
		r.err = assign(dest[i], r.vals[i])
	}
	return r.err
}

func assign(dest, v any) error {
	ok := false
	switch dest := dest.(type) {
	case *any:
		*dest, ok = v, true
	case *int64:
		*dest, ok = v.(int64)
	case *bool:
		var n int64
		n, ok = v.(int64)
		*dest = n != 0
	case *[]byte:
		*dest, ok = v.([]byte)
	}
	if !ok {
		return fmt.Errorf("a column holds a %T where a %T is read", v, dest)
	}
	return nil
}
