package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

type journalRedriveCmd struct {
	hubFlags
	All     bool     `help:"Every dead letter that was not redriven yet, oldest first."`
	Numbers []uint64 `arg:"" optional:"" name:"n" help:"Numbers of dead letters."`
}

// Run drives each letter again and prints what came of it; it goes on after one that is not stored.
func (c *journalRedriveCmd) Run(ctx context.Context, std streams) error {
	if c.All == (len(c.Numbers) > 0) {
		return badConfigError{errors.New("want numbers of dead letters, or --all")}
	}
	hub, err := c.client()
	if err != nil {
		return err
	}
	numbers := c.Numbers
	if c.All {
		if numbers, err = openLetters(ctx, hub); err != nil {
			return err
		}
	}
	stored := 0
	for _, n := range numbers {
		var came struct {
			Outcome, Reason string
			Points          int
		}
		if err := hub.call(ctx, http.MethodPost, fmt.Sprintf("/journal/deadletters/%d/redrive", n), &came); err != nil {
			return fmt.Errorf("dead letter %d: %w", n, err)
		}
		if came.Outcome == "stored" {
			stored++
		}
		line := fmt.Sprintf("%d %s, points %d", n, came.Outcome, came.Points)
		if came.Reason != "" {
			line += ": " + came.Reason
		}
		fmt.Fprintln(std.out, line)
	}
	fmt.Fprintf(std.err, "%d of %d dead letters stored\n", stored, len(numbers))
	if stored < len(numbers) {
		return errors.New("some messages are still not stored")
	}
	return nil
}

// openLetters lists the numbers of all letters that were not redriven, oldest first.
func openLetters(ctx context.Context, hub *hubClient) ([]uint64, error) {
	var out []uint64
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				N          uint64
				RedrivenAt int64 `json:"redriven_at"`
			}
			Next string
		}
		query := url.Values{"limit": {"500"}, "cursor": {cursor}}
		if err := hub.call(ctx, http.MethodGet, "/journal/deadletters?"+query.Encode(), &page); err != nil {
			return nil, fmt.Errorf("list dead letters: %w", err)
		}
		for _, item := range page.Items {
			if item.RedrivenAt == 0 {
				out = append(out, item.N)
			}
		}
		if cursor = page.Next; cursor == "" {
			slices.Reverse(out)
			return out, nil
		}
	}
}
