//go:build !linux

package main

func withoutOverride() error { return nil }
