"""The index: right whatever happens to its file, and without a trace in the base folder."""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neural_core._storage.cache_folder import is_network_path
from neural_core._storage.index.base_index import Index
from neural_core._storage.journal.check_cache import CheckCache
from neural_core.errors import ArgumentValueError, QueryError
from neural_core.records import MetricInfo, RunRow

OLD = 1_700_000_000_123_456_789  # long ago: the clock of the file system has ticked since


class JsonReader:
    """Reads a folder whose ``metadata.json`` holds all there is, and counts how often."""

    reads: list[str]
    made: list[str]

    def __init__(self, directory: Path) -> None:
        type(self).made.append(directory.name)
        self.directory = directory
        self.final = False

    def read(self) -> RunRow:
        """Give the row, or that of a damaged experiment."""
        type(self).reads.append(self.directory.name)
        folder = self.directory.name
        try:
            values = json.loads((self.directory / "metadata.json").read_bytes())
        except (OSError, ValueError) as error:
            self.final = False
            return RunRow(folder, folder, folder, "damaged", "2000-01-01", None, folder, error=str(error))
        self.final = values["status"] == "completed"
        infos = {k: MetricInfo(k, 3, v, 2, v, 0, v, 1) for k, v in values["metrics"].items()}
        ids = values["id"], f"{values['id']}{'0' * 20}"
        times = values["start"], None
        return RunRow(*ids, values["name"], values["status"], *times, folder, values["params"], infos, values["tags"])


class Store:
    """A base folder to fill."""

    def __init__(self, base: Path) -> None:
        self.base = base
        base.mkdir()

    def put(self, folder: str, *, age_ns: int = 0, **changes: Any) -> Path:
        """Make or replace an experiment as neural does: a new file takes the place of the old."""
        values = {"id": f"{folder:0<12}", "name": folder, "status": "completed", "start": f"2026-{folder}"}
        values |= {"params": {}, "metrics": {}, "tags": {}} | changes
        directory = self.base / folder
        directory.mkdir(exist_ok=True)
        new = directory / "metadata.json.tmp"
        new.write_text(json.dumps(values))
        os.utime(new, ns=(OLD - age_ns, OLD - age_ns))
        new.replace(directory / "metadata.json")
        return directory

    def print(self) -> list[tuple[str, int, int, bytes | None]]:
        """All that is there: names, inodes, mtimes, contents."""
        paths = [self.base, *sorted(self.base.rglob("*"))]
        return [
            (str(p), p.lstat().st_ino, p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else None) for p in paths
        ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three finished experiments."""
    JsonReader.reads, JsonReader.made = [], []
    store = Store(tmp_path / "base")
    store.put("a1", params={"lr": 0.1, "model": "cnn"}, metrics={"loss": 0.5, "acc": math.nan})
    store.put("b2", params={"lr": 0.01}, metrics={"loss": 0.25, "acc": 0.9}, tags={"paper": ""})
    store.put("c3", params={"lr": None}, metrics={"loss": math.inf})
    return store


@pytest.fixture
def index(store: Store, tmp_path: Path) -> Iterator[Index]:
    """An index of the store with its file in a folder of its own."""
    with Index(store.base, cache_dir=tmp_path / "cache", row_reader=JsonReader) as index:
        yield index


def other(index: Index) -> Index:
    """Another index of the same store and file, as another process has it."""
    return Index(index.base_dir, cache_dir=index._cache_dir, row_reader=JsonReader)


def names(rows: list[RunRow]) -> list[str]:
    """The folders of rows."""
    return [row.folder for row in rows]


def index_file(index: Index) -> Path:
    """The one index file in the cache folder."""
    assert index._cache_dir is not None
    (path,) = index._cache_dir.glob("index-*.sqlite")
    return path


def direct(store: Store) -> list[str]:
    """What reading the folders says, latest first."""
    rows = [JsonReader(path).read() for path in store.base.iterdir() if (path / "metadata.json").is_file()]
    return [repr(row) for row in sorted(rows, key=lambda row: row.start_time, reverse=True)]


class TestQuestions:
    def test_rows_are_what_the_reader_gave(self, store: Store, index: Index) -> None:
        """Rows come back equal to what was read, NaN and infinities included, from memory and from the file."""
        assert [repr(row) for row in index.runs()] == direct(store)
        with other(index) as again:
            JsonReader.reads.clear()
            assert [repr(row) for row in again.runs()] == [repr(row) for row in index.runs()]
            assert JsonReader.reads == []

    def test_filter_order_and_count(self, index: Index) -> None:
        """Filters, orders, limits and counts answer from finished experiments."""
        assert names(index.runs("params.lr <= 0.1", order_by="params.lr")) == ["b2", "a1"]
        assert names(index.runs("  ", order_by=["-metrics.loss"], limit=2, offset=1)) == ["a1", "b2"]
        assert names(index.runs("metrics.acc = nan or params.lr = none", limit=None)) == ["c3", "a1"]
        assert index.count() == 3
        assert index.count("tags.paper != none") == 1

    def test_best(self, index: Index) -> None:
        """The best come with value and step, by name or by mode, and NaN and the infinite loss are in their places."""
        rows = [(row.folder, value, step) for row, value, step in index.best("loss")]
        assert rows == [("b2", 0.25, 0), ("a1", 0.5, 0), ("c3", math.inf, 0)]
        assert [row.folder for row, _, _ in index.best("loss", "max", limit=1)] == ["c3"]
        assert [row.folder for row, _, _ in index.best("loss", where="params.lr < 0.05")] == ["b2"]
        assert index.best("nothing") == []

    @pytest.mark.parametrize("arguments", [{"mode": "mean"}, {"limit": -1}])
    def test_best_refuses(self, index: Index, arguments: dict[str, Any]) -> None:
        """Another mode or a negative limit raises ArgumentValueError."""
        with pytest.raises(ArgumentValueError):
            index.best("loss", **arguments)

    def test_query_error_comes_through(self, index: Index) -> None:
        """A filter that does not parse raises QueryError and leaves the index usable."""
        with pytest.raises(QueryError):
            index.runs("lr < 3")
        with pytest.raises(ArgumentValueError):
            index.runs(offset=-1)
        assert index.count() == 3

    def test_find(self, store: Store, index: Index) -> None:
        """An id or uid finds its rows, a prefix from four characters all that begin so, and a copy is found beside."""
        shutil.copytree(store.base / "a1", store.base / "copy")
        store.put("a1000", id="a10000000fff")
        index.refresh()
        assert names(index.find("b20000000000")) == ["b2"]
        assert names(index.find("b2" + "0" * 30)) == ["b2"]
        assert names(index.find("b200")) == ["b2"]
        assert index.find("b20") == []
        assert sorted(names(index.find("a10000000000"))) == ["a1", "copy"]
        assert sorted(names(index.find("a100"))) == ["a1", "a1000", "copy"]


class TestRefresh:
    def test_unchanged_is_not_read_again(self, index: Index) -> None:
        """A finished experiment is read once; a refresh looks at its metadata file and no further."""
        for _ in range(3):
            index.refresh()
        assert sorted(JsonReader.reads) == ["a1", "b2", "c3"]

    def test_replaced_new_and_vanished(self, store: Store, index: Index) -> None:
        """A replaced metadata file is read again, a new folder appears, a removed one disappears, in every index."""
        with other(index) as again:
            assert again.count() == index.count() == 3
            store.put("a1", tags={"edited": "yes"})
            store.put("d4")
            shutil.rmtree(store.base / "b2")
            for each in (index, again):
                each.refresh()
                assert [repr(row) for row in each.runs()] == direct(store)
            assert names(again.runs("tags.edited = 'yes'")) == ["a1"]
            assert again.best("loss", where="params.lr = 0.01") == []
            JsonReader.reads.clear()
            index.refresh()
            again.refresh()
            assert JsonReader.reads == []

    def test_folder_moved_away_and_back(self, store: Store, index: Index, tmp_path: Path) -> None:
        """A row that another index removed while its folder was away is there again when the folder is."""
        with other(index) as again:
            assert again.count() == index.count() == 3
            (store.base / "a1").rename(tmp_path / "away")
            again.refresh()
            (tmp_path / "away").rename(store.base / "a1")
            index.refresh()
            assert index.count() == 3

    def test_older_sight_does_not_replace_a_newer_row(self, store: Store, index: Index) -> None:
        """An index that read before a change does not overwrite what another read after it."""

        class Slow(JsonReader):
            def read(self) -> RunRow:
                row = super().read()
                if self.directory.name == "a1" and row.name == "second":
                    store.put("a1", name="third", age_ns=2)
                    again.refresh()
                return row

        with other(index) as again, Index(store.base, cache_dir=index._cache_dir, row_reader=Slow) as slow:
            assert again.count() == 3
            store.put("a1", name="second", age_ns=1)
            slow.refresh()
            assert names(again.runs("name = 'third'")) == ["a1"]
            assert slow.count() == 3
            slow.refresh()
            assert names(slow.runs("name = 'third'")) == ["a1"]

    def test_living_experiment_is_read_at_each_refresh(self, store: Store, index: Index) -> None:
        """One that still runs is read at each refresh by the same reader, and is a row like any other."""
        readers: list[Path] = []

        def make(directory: Path) -> JsonReader:
            readers.append(directory)
            return JsonReader(directory)

        with Index(store.base, cache_dir=index._cache_dir, row_reader=make) as watching:
            store.put("d4", status="running", metrics={"loss": 3.0})
            assert names(watching.runs("metrics.loss >= 3")) == ["d4", "c3"]
            store.put("d4", status="running", metrics={"loss": 2.0})
            watching.refresh()
            assert names(watching.runs("metrics.loss = 2")) == ["d4"]
            assert readers.count(store.base / "d4") == 1
            store.put("d4", metrics={"loss": 1.0})
            watching.refresh()
            watching.refresh()
            assert names(watching.runs("metrics.loss = 1 and status = 'completed'")) == ["d4"]
            assert JsonReader.reads.count("d4") == 3
            assert watching.count() == 4

    def test_resumed_experiment_hides_its_finished_row(self, store: Store, index: Index) -> None:
        """A finished experiment that runs again is one row, the living one, also beside an index that saw it end."""
        with other(index) as again:
            assert again.count() == index.count() == 3
            store.put("a1", status="running")
            index.refresh()
            assert index.count() == 3
            assert names(index.runs("status = 'running'")) == ["a1"]
            assert again.count("status = 'completed'") == 3
            store.put("a1", metrics={"loss": 9.0})
            again.refresh()
            index.refresh()
            assert index.count() == again.count() == index.count("status = 'completed'") == 3
            assert names(again.runs("metrics.loss = 9")) == ["a1"]

    def test_folder_replaced_by_another(self, store: Store, index: Index) -> None:
        """Another folder under the name of a living experiment gets a reader of its own."""
        store.put("d4", status="running", name="one")
        assert names(index.runs("name = 'one'")) == ["d4"]
        (store.base / "d4").rename(store.base / "e5")
        store.put("d4", status="running", name="two")
        index.refresh()
        assert names(index.runs("name = 'two'")) == ["d4"]
        assert names(index.runs("name = 'one'")) == ["e5"]
        assert JsonReader.made.count("d4") == 2

    def test_fresh_file_is_trusted_only_after_a_tick(self, store: Store, index: Index) -> None:
        """A metadata file younger than the file system's clock is read again, as a second change might not show."""
        path = store.put("d4") / "metadata.json"
        os.utime(path)
        index.refresh()
        index.refresh()
        assert JsonReader.reads.count("d4") == 2
        os.utime(path, ns=(OLD, OLD))
        index.refresh()
        index.refresh()
        assert JsonReader.reads.count("d4") == 3

    def test_damaged_experiment_is_a_row(self, store: Store, index: Index) -> None:
        """A damaged experiment is listed with its error, hides nothing, and is sound again once repaired."""
        (store.base / "b2" / "metadata.json").write_bytes(b"{")
        (store.base / "d4" / "metrics").mkdir(parents=True)
        assert sorted(names(index.runs("status = 'damaged'"))) == ["b2", "d4"]
        assert index.count() == 4
        assert all(row.error for row in index.runs("status = 'damaged'"))
        store.put("b2")
        index.refresh()
        assert names(index.runs("status = 'damaged'")) == ["d4"]

    @pytest.mark.fault("I08")
    def test_strangers_in_the_base_folder(self, store: Store, index: Index, tmp_path: Path) -> None:
        """Hidden folders, files, foreign folders, broken links and links that lead out are no experiments."""
        for folder in (".trash", ".integrations"):
            shutil.copytree(store.base / "a1", store.base / folder / "a1")
            shutil.copy(store.base / "a1" / "metadata.json", store.base / folder)
        (store.base / ".DS_Store").write_bytes(b"x")
        (store.base / "notes.txt~").write_bytes(b"x")
        (store.base / "foreign").mkdir()
        (store.base / "broken").symlink_to("nowhere")
        (store.base / "loop").symlink_to("loop")
        shutil.copytree(store.base / "a1", tmp_path / "outside")
        (store.base / "out").symlink_to(tmp_path / "outside")
        (store.base / "up").symlink_to(tmp_path)
        (store.base / "latest").symlink_to("a1")
        (store.base / "binned").symlink_to(".trash/a1")
        assert sorted(names(index.runs())) == ["a1", "b2", "c3"]

    def test_link_to_a_deeper_folder(self, store: Store, index: Index) -> None:
        """A link to an experiment deeper inside the base folder lists it, once."""
        shutil.copytree(store.base / "a1", store.base / "archive" / "old")
        (store.base / "x").symlink_to("archive/old")
        (store.base / "y").symlink_to(store.base / "archive" / "old")
        assert sorted(names(index.runs())) == ["a1", "b2", "c3", "x"]

    def test_odd_folder_names(self, store: Store, index: Index) -> None:
        """Folder names of any bytes are listed, kept over a refresh, and removed."""
        odd = ["größe", os.fsdecode(b"\xff"), "with space'\"", "\\udcff"]
        for folder in odd:
            store.put(folder)
        assert sorted(names(index.runs())) == sorted(["a1", "b2", "c3", *odd])
        index.refresh()
        assert len(JsonReader.reads) == 7
        shutil.rmtree(store.base / odd[1])
        index.refresh()
        assert sorted(names(index.runs())) == sorted(["a1", "b2", "c3", odd[0], odd[2], odd[3]])

    def test_base_folder_comes_and_goes(self, tmp_path: Path) -> None:
        """A missing base folder is empty and is not made; one that comes is seen and indexed on disk, so is another."""
        JsonReader.reads, JsonReader.made = [], []
        base = tmp_path / "base"
        with Index(base, cache_dir=tmp_path / "cache", row_reader=JsonReader) as index:
            assert index.runs() == []
            assert not base.exists()
            Store(base).put("a1")
            index.refresh()
            assert names(index.runs()) == ["a1"]
            assert index_file(index).is_file()
            base.rename(tmp_path / "moved")
            index.refresh()
            assert index.runs() == []
            Store(base).put("b2")
            index.refresh()
            assert names(index.runs()) == ["b2"]


class TestNothingIsTouched:
    def test_store_is_identical_after_every_call(self, store: Store, index: Index) -> None:
        """No call changes a name, an inode, an mtime or a byte of the base folder."""
        store.put("d4", status="running")
        (store.base / "b2" / "metadata.json").write_bytes(b"{")
        calls: list[Callable[[], object]] = [
            index.refresh,
            index.runs,
            index.count,
            lambda: index.best("loss"),
            lambda: index.find("a100"),
            index.close,
            index.refresh,
        ]
        before = store.print()
        for call in calls:
            call()
            assert store.print() == before

    def test_cache_inside_the_base_folder_is_not_used(self, store: Store) -> None:
        """A cache folder inside the base folder is left alone; the index is in memory."""
        before = store.print()
        with Index(store.base, cache_dir=store.base / "cache", row_reader=JsonReader) as index:
            assert index.count() == 3
        assert store.print() == before

    def test_environment_names_the_cache_folder(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """NEURAL_CACHE_DIR names the folder of the index file."""
        monkeypatch.setenv("NEURAL_CACHE_DIR", str(tmp_path / "mine"))
        with Index(store.base, row_reader=JsonReader) as index:
            index.refresh()
        assert len(list((tmp_path / "mine").glob("index-*.sqlite"))) == 1


def cut(path: Path) -> None:
    """Keep the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def blank(path: Path) -> None:
    """Zero everything behind the first page."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))


def in_words(path: Path) -> None:
    """Spoil a word of the schema with a byte that is no UTF-8, which SQLite then says in its error."""
    content = path.read_bytes()
    assert content.count(b"CREATE TABLE metric") == 1
    path.write_bytes(content.replace(b"CREATE TABLE metric", b"CREATE TABL\xc0 metric"))


def execute(path: Path, sql: str) -> None:
    """Change a database from outside."""
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()


OTHER_STORE = "UPDATE store SET path = '/x'; UPDATE doc SET doc = replace(doc, 'a1', 'zz')"

SPOILS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a database, but long enough to be read as one\n" * 400),
    "cut": cut,
    "blank": blank,
    "version": lambda path: execute(path, "PRAGMA user_version = 99"),
    "foreign": lambda path: execute(path, "DROP TABLE run; DROP TABLE store; CREATE TABLE run (x)"),
    "no table": lambda path: execute(path, "DROP TABLE metric"),
    "other store": lambda path: execute(
        path, "UPDATE store SET path = '/x'; UPDATE doc SET doc = (SELECT doc FROM doc ORDER BY n LIMIT 1)"
    ),
    "schema": in_words,
    "documents": lambda path: execute(path, "UPDATE doc SET doc = '[1'"),
    "a letter": lambda path: execute(path, "UPDATE doc SET doc = replace(doc, 'a1', 'zz')"),
    "documents gone": lambda path: execute(path, "DELETE FROM doc"),
    "deleted": lambda path: path.unlink(),
}


class TestSpoiltCache:
    @pytest.mark.fault("I05")
    @pytest.mark.parametrize("spoil", SPOILS.values(), ids=list(SPOILS))
    def test_spoilt_file_is_made_anew(self, store: Store, index: Index, spoil: Callable[[Path], object]) -> None:
        """A spoilt, foreign, outdated or missing index file is rebuilt, with the same answers and on the disk."""
        index.refresh()
        index.close()
        spoil(index_file(index))
        assert [repr(row) for row in index.runs()] == direct(store)
        assert [row.folder for row, _, _ in index.best("loss", "min")] == ["b2", "a1", "c3"]
        JsonReader.reads.clear()
        with other(index) as again:
            assert again.count("params.lr < 1") == 2
        assert JsonReader.reads == []

    @pytest.mark.fault("I05")
    def test_file_of_another_store_is_not_believed(self, store: Store, index: Index, tmp_path: Path) -> None:
        """An index file of another store under the name of this one's is rebuilt."""
        strange = Store(tmp_path / "strange")
        strange.put("z9")
        with Index(strange.base, cache_dir=tmp_path / "cache2", row_reader=JsonReader) as second:
            second.refresh()
            foreign = index_file(second)
        index.refresh()
        index.close()
        shutil.copy(foreign, index_file(index))
        assert names(index.runs()) == ["c3", "b2", "a1"]

    @pytest.mark.fault("I05")
    def test_deleted_under_an_open_index(self, store: Store, index: Index) -> None:
        """An index whose file is deleted while open goes on answering rightly."""
        index.refresh()
        for path in index_file(index).parent.iterdir():
            path.unlink()
        store.put("d4")
        index.refresh()
        assert [repr(row) for row in index.runs()] == direct(store)

    def test_cache_folder_cannot_be_made(self, store: Store, tmp_path: Path) -> None:
        """Where a file stands in place of the cache folder, the index is in memory and answers the same."""
        (tmp_path / "file").write_bytes(b"")
        with Index(store.base, cache_dir=tmp_path / "file" / "cache", row_reader=JsonReader) as index:
            assert [repr(row) for row in index.runs()] == direct(store)
            store.put("d4")
            index.refresh()
            assert index.count() == 4

    def test_locked_file(self, store: Store, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that another process keeps locked is left alone; the index goes on in memory."""
        monkeypatch.setattr("neural_core._storage.cache_folder.BUSY_SECONDS", 0.05)
        index.refresh()
        index.close()
        index.refresh()
        locker = sqlite3.connect(index_file(index), isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        store.put("d4")
        index.refresh()
        assert [repr(row) for row in index.runs()] == direct(store)
        assert locker.execute("SELECT count(*) FROM run").fetchone() == (3,)
        locker.close()

    @pytest.mark.privileged
    def test_read_only_file_system(self, store: Store, tmp_path: Path) -> None:
        """On a read-only file system the index is in memory, also when a file of it is there."""
        cache = tmp_path / "cache"
        cache.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "none", cache], check=True)
        try:
            with Index(store.base, cache_dir=cache, row_reader=JsonReader) as index:
                index.refresh()
            subprocess.run(["mount", "-o", "remount,ro", cache], check=True)
            store.put("d4")
            with Index(store.base, cache_dir=cache, row_reader=JsonReader) as index:
                assert [repr(row) for row in index.runs()] == direct(store)
        finally:
            subprocess.run(["umount", "-l", cache], check=True)

    @pytest.mark.privileged
    def test_full_file_system(self, store: Store, tmp_path: Path) -> None:
        """Where the cache's disk fills up, the index goes on in memory."""
        cache = tmp_path / "cache"
        cache.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", cache], check=True)
        try:
            for i in range(60):
                store.put(f"f{i:02}", params={"text": "x" * 4000})
            with Index(store.base, cache_dir=cache, row_reader=JsonReader) as index:
                assert [repr(row) for row in index.runs()] == direct(store)
        finally:
            subprocess.run(["umount", "-l", cache], check=True)


WORKER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_index import Index, JsonReader
JsonReader.reads, JsonReader.made = [], []
base, cache = map(Path, sys.argv[1:3])
versions = {}
for _ in range(25):
    with Index(base, cache_dir=cache, row_reader=JsonReader) as index:
        for _ in range(3):
            index.refresh()
            rows = index.runs(limit=None)
            seen = {row.folder: row.params.get("version", -1) for row in rows}
            assert len(seen) == len(rows)
            assert all(seen.get(folder, -2) >= version for folder, version in versions.items())
            assert index._in_memory is False
            versions = seen
print(len(versions))
"""


class TestConcurrency:
    def test_two_processes_refresh_one_file(self, store: Store, index: Index) -> None:
        """Two processes and a writer beside one index file: no error, no row missing, twice, or older than before."""
        for i in range(200):
            store.put(f"r{i:03}", params={"version": 0})
        command = [sys.executable, "-c", WORKER, *map(str, (store.base, index._cache_dir, Path(__file__).parent))]
        workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        rounds = 0
        while any(worker.poll() is None for worker in workers):
            rounds += 1
            store.put(f"s{rounds % 150:03}", age_ns=2 * rounds + 1, status="running", params={"version": rounds})
            store.put(f"s{rounds % 150:03}", age_ns=2 * rounds, params={"version": rounds})
            store.put(f"r{rounds % 200:03}", age_ns=rounds, params={"version": rounds})
        outputs = [worker.communicate(timeout=200)[0] for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0]
        assert all(203 <= int(output) <= 353 for output in outputs)
        index.refresh()
        assert [repr(row) for row in index.runs(limit=None)] == direct(store)

    def test_threads_share_an_index(self, store: Store, index: Index) -> None:
        """Several threads refresh and ask one index at once and all get whole answers."""
        counts: list[int] = []

        def work() -> None:
            for _ in range(10):
                index.refresh()
                counts.append(len(index.runs()))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts == [3] * 40

    def test_forked_child_opens_its_own(self, store: Store, index: Index) -> None:
        """A forked child asks with a connection of its own, and the parent's goes on."""
        assert index.count() == 3
        script = (
            "import os, sys; sys.path.insert(0, sys.argv[3]); from pathlib import Path\n"
            "from test_index import Index, JsonReader\n"
            "JsonReader.reads, JsonReader.made = [], []\n"
            "index = Index(Path(sys.argv[1]), cache_dir=Path(sys.argv[2]), row_reader=JsonReader)\n"
            "assert index.count() == 3\n"
            "parents = index._session\n"
            "child = os.fork()\n"
            "if not child: os._exit(index.count('params.lr < 1') + 5 * (index._session is not parents))\n"
            "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), index.count())\n"
        )
        command = [sys.executable, "-c", script, *map(str, (store.base, index._cache_dir, Path(__file__).parent))]
        assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "7 3\n"


MOUNTS = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:25 / /home rw,nosuid shared:5 - nfs4 server:/home rw,vers=4.2
31 30 8:1 / /home/local rw - xfs /dev/sda1 rw
32 22 0:30 / /mnt/with\\040space rw shared:9 - cifs //server/share rw
33 22 0:31 / /data rw shared:9 master:3 - fuse.sshfs host:/data rw
"""


@pytest.mark.fault("C08")
@pytest.mark.parametrize(
    ("path", "network"),
    [
        ("/var/cache", False),
        ("/home/me/.cache", True),
        ("/homely", False),
        ("/home/local/me", False),
        ("/mnt/with space/x", True),
        ("/data/x", True),
    ],
)
def test_network_file_systems_are_known(path: str, network: bool) -> None:
    """The mount with the longest matching path says whether a folder is on a network."""
    assert is_network_path(Path(path), MOUNTS) is network


class TestCheckCache:
    def test_outcome_is_remembered_until_the_file_changes(self, tmp_path: Path) -> None:
        """An outcome is given back for the same file in the same state only, also by another process's cache."""
        file = tmp_path / "part"
        file.write_bytes(b"one")
        os.utime(file, ns=(OLD, OLD))
        before = file.stat()
        cache, again = CheckCache(tmp_path / "cache"), CheckCache(tmp_path / "cache")
        assert cache.get(before) is None
        cache.put(before, '{"ok":true}')
        assert cache.get(before) == again.get(before) == '{"ok":true}'
        cache.put(before, '{"ok":false}')
        assert cache.get(before) == '{"ok":false}'
        file.write_bytes(b"two")
        assert again.get(file.stat()) is None
        for each in (cache, again):
            each.close()

    def test_old_entries_are_dropped(self, tmp_path: Path) -> None:
        """What was remembered more than 90 days ago is forgotten when the file is opened."""
        status = tmp_path.stat()
        for _ in range(2):
            cache = CheckCache(tmp_path / "cache")
            found = cache.get(status)
            cache.put(status, "x")
            cache.close()
            execute(tmp_path / "cache" / "checks-1.sqlite", "UPDATE checked SET time = time - 91 * 86400")
            assert found is None

    @pytest.mark.parametrize("spoil", ["text", "cut", "foreign"])
    def test_spoilt_file_means_not_remembered(self, tmp_path: Path, spoil: str) -> None:
        """A spoilt file or none at all is silence, and this process still remembers its own."""
        status = tmp_path.stat()
        path = tmp_path / "cache" / "checks-1.sqlite"
        first = CheckCache(tmp_path / "cache")
        first.put(status, "x")
        first.close()
        if spoil == "foreign":
            execute(path, "DROP TABLE checked; CREATE TABLE checked (x)")
        else:
            SPOILS[spoil](path)
        second = CheckCache(tmp_path / "cache")
        assert second.get(status) is None
        second.put(status, "y")
        assert second.get(status) == "y"
        second.close()

    def test_folder_cannot_be_made(self, tmp_path: Path) -> None:
        """Without a usable cache folder outcomes are remembered in the process."""
        (tmp_path / "file").write_bytes(b"")
        cache = CheckCache(tmp_path / "file" / "cache")
        cache.put(tmp_path.stat(), "x")
        assert cache.get(tmp_path.stat()) == "x"
