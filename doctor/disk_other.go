//go:build !linux && !darwin && !windows

package doctor

import "errors"

func fsOf(string) (name string, kind fsKind) { return "", local }

func freeSpace(string) (space, error) {
	return space{}, errors.New("this system is not asked")
}
