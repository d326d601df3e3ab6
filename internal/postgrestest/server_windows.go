package postgrestest

import "errors"

// Server is a PostgreSQL of its own; there is none here.
type Server struct{ URL string }

// Launch fails: who has a PostgreSQL on Windows names it.
func Launch() (*Server, error) {
	return nil, errors.New("PostgreSQL is not started on Windows: set AG_TEST_POSTGRES_URL to one whose user may make databases")
}

// Stop does nothing.
func (s *Server) Stop() {}
