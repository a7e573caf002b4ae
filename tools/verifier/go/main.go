// Verifies an audit folder of Assent with nothing but Go's own transparency log packages, as a second pair of eyes:
// every signature of every log, every leaf against the signed root through the tiles, every head that was ever bound,
// and that each of them is a prefix of the log as it is now.
//
// Usage: go run . <folder>. Prints what it verified; exit code 1 and the first fault when something does not hold.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

type manifest struct {
	Origin string   `json:"origin"`
	Keys   []string `json:"keys"`
}

// head is a checkpoint of a log, signed or bound by the log of heads.
type head struct {
	origin string
	size   int64
	root   tlog.Hash
	// Of an entry of the log of heads: leaves below have hashes only, maybe.
	firstRetained int64
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: verify-folder <folder>")
		os.Exit(2)
	}
	said, err := verifyFolder(os.Args[1])
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
	fmt.Println(said)
}

func verifyFolder(folder string) (string, error) {
	var m manifest
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return "", fmt.Errorf("manifest.json: %w", err)
	}
	heads, entries, err := readLog(folder, "heads", m, true)
	if err != nil {
		return "", err
	}
	leaves := heads.size
	bound := map[string][]head{}
	for i, entry := range entries {
		h, err := parseHead(string(entry))
		if err != nil {
			return "", fmt.Errorf("heads index %d: %w", i, err)
		}
		name := strings.TrimPrefix(h.origin, m.Origin+"/")
		bound[name] = append(bound[name], h)
	}
	names := make([]string, 0, len(bound))
	for name := range bound {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		size, err := verifyLog(folder, name, m, bound[name])
		if err != nil {
			return "", err
		}
		leaves += size
	}
	return fmt.Sprintf("OK: %d logs, %d leaves, %d heads", len(names), leaves, len(entries)), nil
}

// verifyLog verifies a log and that each of its bound heads is a prefix of it.
func verifyLog(folder, name string, m manifest, bound []head) (int64, error) {
	keepsEntries := !strings.HasPrefix(name, "dispatch.requests/")
	now, _, err := readLogFrom(folder, filepath.Join("logs", name), name, m, keepsEntries, bound[len(bound)-1].firstRetained)
	if err != nil {
		return 0, err
	}
	hashes := now.reader(folder, filepath.Join("logs", name))
	for _, h := range bound {
		if h.size > now.size {
			return 0, fmt.Errorf("%s: a head binds %d leaves, there are %d", name, h.size, now.size)
		}
		root, err := tlog.TreeHash(h.size, hashes)
		if err != nil || (h.size > 0 && root != h.root) {
			return 0, fmt.Errorf("%s: the head of size %d is not what the leaves give (%v)", name, h.size, err)
		}
		if h.size == 0 {
			continue
		}
		proof, err := tlog.ProveTree(now.size, h.size, hashes)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		if err := tlog.CheckTree(proof, now.size, now.root, h.size, h.root); err != nil {
			return 0, fmt.Errorf("%s: size %d is no prefix of size %d: %w", name, h.size, now.size, err)
		}
	}
	return now.size, nil
}

func readLog(folder, name string, m manifest, keepsEntries bool) (head, [][]byte, error) {
	return readLogFrom(folder, name, name, m, keepsEntries, 0)
}

// readLogFrom opens the checkpoint of a log and checks each entry from firstRetained on against the signed root.
func readLogFrom(folder, prefix, name string, m manifest, keepsEntries bool, firstRetained int64) (head, [][]byte, error) {
	h, err := openCheckpoint(filepath.Join(folder, prefix, "checkpoint"), m.Origin+"/"+name, m)
	if err != nil {
		return head{}, nil, err
	}
	hashes := h.reader(folder, prefix)
	root, err := tlog.TreeHash(h.size, hashes)
	if err != nil || (h.size > 0 && root != h.root) {
		return head{}, nil, fmt.Errorf("%s: the tiles do not give the signed root (%v)", name, err)
	}
	var all [][]byte
	for first := int64(0); first < h.size; first += tileWidth {
		width := min(tileWidth, h.size-first)
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		// Checked against the root by the tile reader.
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return head{}, nil, fmt.Errorf("%s: %w", name, err)
		}
		if !keepsEntries {
			continue
		}
		tile := tlog.Tile{H: tileHeight, L: -1, N: first / tileWidth, W: int(width)}
		bundle, err := readPiece(folder, prefix, tile)
		if errors.Is(err, os.ErrNotExist) && first+tileWidth <= firstRetained {
			continue
		}
		if err != nil {
			return head{}, nil, fmt.Errorf("%s: %w", name, err)
		}
		for i := int64(0); i < width; i++ {
			entry, rest, err := nextEntry(bundle)
			if err != nil {
				return head{}, nil, fmt.Errorf("%s index %d: %w", name, first+i, err)
			}
			bundle = rest
			if tlog.RecordHash(entry) != leaves[i] {
				return head{}, nil, fmt.Errorf("%s index %d: the entry is not the one that was hashed", name, first+i)
			}
			if prefix == "heads" {
				all = append(all, entry)
			}
		}
	}
	return h, all, nil
}

func nextEntry(bundle []byte) (entry, rest []byte, err error) {
	if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
		return nil, nil, errors.New("the bundle ends too early")
	}
	end := 2 + int(binary.BigEndian.Uint16(bundle))
	return bundle[2:end], bundle[end:], nil
}

// openCheckpoint opens a signed note with the installation's keys under the log's own name.
func openCheckpoint(path, origin string, m manifest) (head, error) {
	var verifiers []note.Verifier
	for _, line := range m.Keys {
		parts := strings.SplitN(line, "+", 3)
		if len(parts) != 3 {
			return head{}, errors.New("manifest.json: not a key line")
		}
		if _, err := note.NewVerifier(line); err != nil {
			return head{}, fmt.Errorf("manifest.json: %w", err)
		}
		typed, err := base64.StdEncoding.DecodeString(parts[2])
		if err != nil {
			return head{}, err
		}
		renamed, err := note.NewEd25519VerifierKey(origin, typed[1:])
		if err != nil {
			return head{}, err
		}
		verifier, err := note.NewVerifier(renamed)
		if err != nil {
			return head{}, err
		}
		verifiers = append(verifiers, verifier)
	}
	signed, err := os.ReadFile(path)
	if err != nil {
		return head{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return head{}, fmt.Errorf("%s: %w", path, err)
	}
	h, err := parseHead(opened.Text)
	if err != nil {
		return head{}, fmt.Errorf("%s: %w", path, err)
	}
	if h.origin != origin {
		return head{}, fmt.Errorf("%s: it is the checkpoint of %s", path, h.origin)
	}
	return h, nil
}

func parseHead(text string) (head, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return head{}, errors.New("not the text of a checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return head{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return head{}, err
	}
	h := head{origin: lines[0], size: size, root: root}
	for _, line := range lines[3:] {
		if number, found := strings.CutPrefix(line, "first-retained "); found {
			if h.firstRetained, err = strconv.ParseInt(number, 10, 64); err != nil {
				return head{}, err
			}
		}
	}
	return h, nil
}

// reader answers hashes of the tree from its tiles, each checked against the root.
func (h head) reader(folder, prefix string) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: h.size, Hash: h.root}, tiles{folder, prefix})
}

type tiles struct{ folder, prefix string }

func (t tiles) Height() int                             { return tileHeight }
func (t tiles) SaveTiles(tiles []tlog.Tile, _ [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		piece, err := readPiece(t.folder, t.prefix, tile)
		if err != nil {
			return nil, err
		}
		if len(piece) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s is too short", tile.Path())
		}
		data[i] = piece[:tile.W*tlog.HashSize]
	}
	return data, nil
}

// readPiece reads a tile or (level -1) an entry bundle as wide as asked for, else the full one, else a wider one.
func readPiece(folder, prefix string, tile tlog.Tile) ([]byte, error) {
	widths := []int{tile.W}
	for width := tileWidth; width > tile.W; width-- {
		widths = append(widths, width)
	}
	var missing error
	for _, width := range widths {
		path := tlog.Tile{H: tileHeight, L: tile.L, N: tile.N, W: width}.Path()
		// Go's own paths name the height, and entries "data"; C2SP fixes the first and calls the second "entries".
		path = strings.Replace(strings.TrimPrefix(path, "tile/8/"), "data/", "entries/", 1)
		read, err := os.ReadFile(filepath.Join(folder, prefix, "tile", path))
		if err == nil {
			return read, nil
		}
		missing = err
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return nil, missing
}
