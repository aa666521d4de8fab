"""The faults that neural was tried against: one line each, with what is expected to happen.

A test says which rows it proves by ``@pytest.mark.fault("D01", ...)``. docs/reliability.md shows this table with the
files of those tests, and ``python3 dev.py faults`` runs them.
"""
# ruff: noqa: E501 - a table is read by its lines: one fault, one line

from __future__ import annotations

from attrs import frozen

__all__ = ["FAMILIES", "NOTES", "ROWS", "Row"]


@frozen
class Row:
    """One fault.

    Attributes:
        id: its name: a letter for the family, and a number.
        fault: what goes wrong.
        expected: what neural does then.
        note: what was not tried, or was tried in another way than it happens; empty when it was tried as it is.
    """

    id: str
    fault: str
    expected: str
    note: str = ""


FAMILIES = {
    "D": "Killed processes and failing disks",
    "I": "Damaged bytes",
    "C": "Several at once",
    "N": "Names and paths",
    "V": "Values",
    "A": "Artifacts",
    "L": "Life of an experiment",
    "P": "Plugins and backends",
    "T": "Time",
    "G": "Plots",
    "U": "The page, and data from strangers",
}

NOTES = {
    "D05": "No machine was unplugged: the image below a live file system is copied, and mounted as it would be found afterwards.",
    "D10": "The delay is put into the system call. What is proved is that the thread that logs never makes that call.",
    "D11": "There is no network file system here: its errors are put into the system calls.",
    "D13": "Nobody waits for an hour: the times of the files are set back.",
    "I05": "What lists show has a checksum in the index. The columns by which filters choose have none there: SQLite keeps none.",
    "C05": "Sixty processes, not two hundred.",
    "C06": "With multiprocessing's workers; a data loader of PyTorch is made of them, and was not tried itself.",
    "C08": "There is no network file system here: locks are made to fail, and the other host is a line in a file.",
    "N02": "This file system tells upper from lower case: that names stay apart without it is shown by comparing them.",
    "V02": "Tensors are objects that behave as PyTorch's do; none was on a graphics card.",
    "A05": "A file with holes of 200 MB, not of 5 GB.",
    "P07": "A name that is never resolved is not among them.",
    "T01": "The clock that the process reads is set, not that of the machine; daylight saving plays no part, since all times are UTC.",
    "U14": "What bounds the work is proved: runs and points of a request. Its seconds are measured by the benchmarks.",
}

_TABLE = """
D01 | SIGKILL at a random moment, after up to 10,000 rows | every acknowledged row is read, and at most one more; the list works; the status is `interrupted`
D02 | SIGKILL before the n-th write, sync, rename, mkdir, link or unlink, for every n | the same; an artifact is there whole or not at all
D03 | the disk fills up, then has room again | one warning; what was acknowledged is read meanwhile; what waited is stored in order, with its own times; beyond 10,000 rows losses are counted
D04 | a limit on file sizes cuts a write in two | the row is written again into another file; none is missing, none is there twice
D05 | loss of power | nothing older than about two seconds is missing, nothing at all with `durability="power"`; every experiment can be read
D06 | the n-th write, sync, rename, open, mkdir or unlink fails once (ENOSPC, EIO, EACCES, EDQUOT, EMFILE), for every n | stored all the same, or told; no exception in the loop; later calls work
D07 | every sync fails with EIO | training goes on; one warning; `health.ok` stays False; an artifact counts as not stored
D08 | the folder becomes read-only, and writable again | rows go on or wait; one warning; all is made up for; reading needs no right to write
D09 | no inode is left | rows go on in the file that is open; what needs a new file is told, by `finish()` as well
D10 | a disk whose every sync takes 300 ms | the thread that logs makes one write for each row and never waits for the disk
D11 | errors of network file systems: ESTALE, EAGAIN, EINTR; a disk that never comes back | EINTR is repeated silently; the others are as a full disk; what was acknowledged is read
D12 | somebody deletes or renames the folder of a running experiment | told once; the old path is not made again; other experiments are untouched
D13 | the training is stopped for an hour, then continued | it shows as running; rows go on where they were; a writer on another machine shows as stalled, then interrupted
D14 | SIGINT, SIGTERM, `sys.exit`, an uncaught exception, a segmentation fault, `os._exit` | all rows; `interrupted` or `failed`, never `completed`; the script's own handlers and exit status
D15 | the interpreter ends beside daemon threads, exit functions, `__del__`, a companion process | no hang, no message, no acknowledged row lost, no process left
D16 | a cell of a notebook runs twice, or is stopped by Ctrl-C; its kernel is restarted or killed | each run is an experiment of its own; the forgotten one is `interrupted`; the stopped one can go on; what was logged is delivered
D17 | a million rows; ten thousand metrics | a call costs what the first one did; memory does not grow
I01 | any file is cut, at any byte | what stands before the cut is read, and the cut is named; other experiments are whole
I02 | a bit flips, in any byte | the same data, or the damage is named; never other data in silence
I03 | the end of a journal is torn off, then the run is resumed | old and new rows are both read
I04 | a stored artifact is changed, exchanged or removed | `neural verify` names it, and opening it refuses
I05 | the index is deleted, spoilt, or that of another folder | it is made again from the experiments, and never believed over them
I06 | a store of a later format; facts and fields that nobody knows | refused with both versions; kept and passed over
I07 | empty files, tails of zeros, files of noise, files of 1 GiB | named, or harmless; in bounded memory
I08 | foreign files and folders in the store: of editors, of systems, links, pipes, folders that may not be read | ignored or named; the list is whole
I09 | any order of logging, finishing, resuming, dying, verifying | agrees with a plain model after each step
I10 | any bytes in place of a journal, a document, a Parquet file, an index | what the checksums vouch for, or an error of ours; no hang; bounded memory
C01 | two processes write one experiment | both sets of rows are whole; the experiment is not taken over from a living process
C02 | a training forks, and all three processes log | nothing is lost; a child's end or error is not its parent's
C03 | four threads log, one draws | every row is whole, each thread's rows keep their order, nothing waits for ever
C04 | readers beside a writer, and beside compaction | no error, never fewer rows, nothing touched
C05 | many processes begin an experiment of one name at once | one experiment each
C06 | workers by fork, spawn and forkserver that were given the tracker | no deadlock; a pickled tracker is a handle of some hundred bytes
C07 | deleting, resuming, tidying, verifying beside a writer | refused with a sentence, or nothing found wrong; logging goes on
C08 | locks do not work (NFS); a writer on another host with the same pid | no lock is needed: the index goes into memory; a pid alone is no sign of life
N01 | `../x`, absolute paths, separators, NUL, line ends in the name of an experiment | the name is kept as text; nothing is made outside the base folder
N02 | names of 300 characters, emoji, lone surrogates, devices of Windows, trailing dots, upper and lower case | kept, with a folder of their own on any disk; empty or endless ones are refused
N03 | the same names for artifacts and figures | files lie in their own folder only; nothing of ours is replaced
N04 | metrics named `step`, `timestamp`, `__proto__`, `$x_$`, NUL, 10,000 characters; names that are no text | kept exactly and apart from the record's own fields; what is no text is refused
N05 | links in a store that lead elsewhere | not followed for writing, reading or deleting; named
N06 | `.`, parts of an id, patterns, paths where an id is asked for | not found; nothing is deleted
N07 | a relative base folder and `chdir`; `~`, blanks, odd bytes, a path of 4,000 characters, a file in its place | absolute from the start; what cannot be is one sentence before anything is made
N08 | umask 000 and 077 | files follow it; nothing is writable for the world; temporary files are made in the store and belong to the owner
V01 | NaN, infinities, -0.0, denormal numbers, integers beyond 2^53 | every double comes back bit by bit; rounding is told, what no double holds is refused
V02 | numbers of NumPy, Decimal, tensors; text, lists, None, objects that raise | numbers are kept; what is none is refused with the metric's name, and nothing of the call is stored
V03 | steps that are missing, negative, repeated, descending, of 64 bits; 1.5, NaN, text | integers are kept in the order of the calls; others are refused
V04 | parameters that are objects, sets, cycles, 2,000 levels deep, a megabyte long, logged twice | kept readable and marked; the last one stands, the earlier ones stay in the journal
V05 | the best of NaN, of none, without steps; a mode that is misspelt | NaN never wins; the position stands in for the step; an error for the mode
V06 | an empty call, 10,000 metrics in one, a dict that changes afterwards, a generator | stored as it was at the call; what is no mapping is refused
A01 | a source that is missing, unreadable, a link to nowhere or in a circle | an error with the path; no version number is used up
A02 | a folder | stored whole, with a manifest that the checksum covers
A03 | a pipe, a socket, `/dev/zero` | refused and not waited for
A04 | the source changes while it is copied | the checksum is of the stored bytes, or the copy is refused
A05 | 0 bytes, holes, a disk that fills up in the middle | size and checksum are right; no half file, no leftovers, the next one is stored
A06 | equal bytes, other bytes under one name, one name from two folders, `version=False` | content is stored once; no version is ever rewritten
A07 | version 0, -2 or 99 | None, never another version
A08 | the store is moved, or one experiment copied | everything is found where it lies now
A09 | SIGKILL in the middle of a copy | no half file under a version's name; what is left is named
L01 | finished twice; `failed`, then finished; logged to after the end | nothing changes; it stays `failed`; refused with the way to go on
L02 | listing, loading, comparing, exporting, verifying | no file, name or time changes; a read-only store is read
P01 | a plugin raises in every hook | rows are whole; one warning and one at the end; it hears everything again later
P02 | a plugin calls `sys.exit` or `os.abort`, raises KeyboardInterrupt | contained; the others hear everything; a process that it ends is started again or left
P03 | a plugin hangs | `finish()` keeps its deadline and says how much is missing
P04 | a plugin is slow, and 100,000 rows are waiting | nothing is dropped, also when the training is killed; memory does not grow with it
P05 | a plugin changes what it was given, or prints without end | local data and its neighbours see nothing of it; its output is capped
P06 | an installed plugin does not import, hangs in its import, or has the name of another | named with its package; the others work
P07 | a server refuses, never answers, answers 500 or 401, dies in mid-run | the loop and `finish()` do not wait for it; `neural sync` completes all, each point once
P08 | a client that would ask for a login on the terminal | asks nobody: offline, or a sentence
T01 | the clock jumps back or forward by an hour, a year, to 0 | rows keep their order, lists are stable, no duration is negative
G01 | metrics with `$`, NaN only, infinities, text, one point, a million points, 200 metrics | drawn, or left out with a warning; `finish()` never raises
G02 | the user's pyplot, its settings, several threads | untouched; pyplot is not even imported
U01 | a page of another name that leads to ours (DNS rebinding) | 403 before anything answers
U02 | a request from another site | no change is made, nothing is embedded
U03 | a form in place of JSON; a question about sharing between origins | 415; nothing is shared
U04 | a server for other machines | only when it was said so, and with a token that is too long to guess
U05 | debug mode on another address; the console of a debugger | refused; there is none
U06 | stored data that looks like components of the page | text
U07 | names with markup, formulas and templates of Plotly | drawn as they are written
U08 | names, notes and parameters with elements, scripts, `javascript:` links | text everywhere, also without the page's policy
U09 | forged and malformed requests, 200,000 points, brackets without end | 400 or 413, unread
U10 | paths in place of ids, links out of the store, HTML and SVG that were logged | 404; a download that is never shown
U11 | headers of every answer, of errors too | what keeps a browser from doing more than the page needs
U12 | addresses of other hosts in what the page loads | none: it works without a network
U13 | GET of every address; changes without the token | nothing in the store changes
U14 | questions about too much: a thousand runs, a million points | bounded answers
U15 | one damaged experiment in the list | a row with its error beside the others
U16 | an error of ours | one sentence: no trace, no path, no banner
U17 | a pickle in the store | never loaded
U18 | archives with `..`, links or bombs in them | nothing unpacks an archive
U19 | cells and names that a spreadsheet or a browser would run | quoted or escaped
U20 | line ends and escape sequences in names; passwords in addresses, in the environment, on the command line | no line is forged; none of it is recorded or shown
"""


def _rows() -> tuple[Row, ...]:
    lines = (tuple(cell.strip() for cell in line.split("|")) for line in _TABLE.strip().splitlines())
    return tuple(Row(name, fault, expected, NOTES.get(name, "")) for name, fault, expected in lines)


ROWS = _rows()
