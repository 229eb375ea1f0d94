"""The kill switch on a full disk, in a home that is read-only or gone, and whatever lies in its place."""

import os
import shutil

import pytest
from full_disk import fill, small_disk
from read_only import read_only

from lotus_desk.safety import kill_switch
from lotus_desk.safety.heartbeat import Pulse
from lotus_desk.safety.kill_switch import FLATTENED, HALTED, LIFTED, KillSwitch, word_of


def test_it_is_thrown_by_an_empty_file_and_a_second_name_says_how(tmp_path):
    switch = KillSwitch(tmp_path)
    switch.prepare()
    assert switch.state() == LIFTED
    (tmp_path / "live" / "KILL").touch()
    assert switch.state() == HALTED
    switch.throw(flatten=True)
    assert (tmp_path / "live" / "KILL.flatten").stat().st_size == 0
    switch.throw()
    assert switch.state() == FLATTENED, "not weakened"
    switch.lift()
    assert switch.state() == LIFTED


def test_the_word_of_an_earlier_release_still_flattens(tmp_path):
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "KILL").write_text("flatten\n")
    assert KillSwitch(tmp_path).state() == FLATTENED


@pytest.mark.parametrize("flatten", [False, True])
def test_it_is_thrown_on_a_full_disk(tmp_path, flatten):
    with small_disk(tmp_path / "home") as home:
        (home / "live").mkdir()
        ballast = fill(home)
        with pytest.raises(OSError, match="No space"):
            (home / "live" / "note").write_bytes(b"anything at all")
        switch = KillSwitch(home)
        switch.throw(flatten)
        switch.throw(flatten)
        assert switch.state() == (FLATTENED if flatten else HALTED)
        ballast.unlink()


@pytest.mark.parametrize("flatten", [False, True])
def test_without_a_free_inode_its_reserve_is_renamed(tmp_path, flatten):
    with small_disk(tmp_path / "home", "2m,nr_inodes=40") as home:
        switch = KillSwitch(home)
        switch.prepare()
        with pytest.raises(OSError, match="No space"):
            _touch_all(home)
        switch.throw(flatten)
        assert switch.state() == (FLATTENED if flatten else HALTED)


def test_gone_is_halted(tmp_path):
    switch = KillSwitch(tmp_path / "home")
    assert switch.state() == HALTED
    switch.prepare()
    assert switch.state() == LIFTED
    switch.folder.rename(tmp_path / "away")
    assert switch.is_thrown()


def test_what_cannot_be_looked_at_is_thrown(tmp_path):
    (tmp_path / "live").write_text("a file where the folder should be")
    assert KillSwitch(tmp_path).state() == HALTED
    other = KillSwitch(tmp_path / "other")
    other.prepare()
    other.path.symlink_to(tmp_path / "nowhere")
    assert other.state() == HALTED
    other.path.unlink()
    other.path.mkdir()
    assert other.state() == HALTED


def _touch_all(folder):
    for k in range(100):
        (folder / str(k)).touch()


@pytest.mark.parametrize("flatten", [False, True])
def test_in_a_read_only_home_it_is_thrown_beside_it_and_lifted_again(tmp_path, monkeypatch, flatten):
    monkeypatch.setattr(kill_switch, "MEMORY", tmp_path / "memory")
    (tmp_path / "memory").mkdir()
    home = tmp_path / "home"
    switch = KillSwitch(home).prepare()
    (tmp_path / "link").symlink_to(home)
    with read_only(home):
        KillSwitch(tmp_path / "link").throw(flatten)
        assert switch.state() == (FLATTENED if flatten else HALTED)
        assert KillSwitch(tmp_path / "other").prepare().state() == LIFTED, "the home of another"
    assert switch.is_thrown(), "it stays thrown when the home takes writes again"
    switch.lift()
    assert switch.state() == LIFTED


def test_a_name_in_memory_made_by_another_user_throws_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(kill_switch, "MEMORY", tmp_path / "memory")
    (tmp_path / "memory").mkdir()
    switch = KillSwitch(tmp_path / "home").prepare()
    for path in (switch.path, switch.flatten_path):
        switch.beside(path).symlink_to("/etc/hostname")
    assert switch.state() == LIFTED
    if os.getuid() == 0:
        for path in (switch.path, switch.flatten_path):
            switch.beside(path).unlink()
            switch.beside(path).touch()
            os.chown(switch.beside(path), 12_345, 12_345)
        assert switch.state() == LIFTED


def test_a_folder_that_was_lost_and_made_anew_by_another_writer_stays_halted(tmp_path):
    switch = KillSwitch(tmp_path).prepare()
    switch.throw(flatten=True)
    shutil.rmtree(switch.folder)
    Pulse(tmp_path).turned(0.1, 0.0)
    assert switch.folder.is_dir()
    assert switch.state() == HALTED
    switch.lift()
    assert switch.state() == LIFTED


def test_the_word_of_a_home_is_what_its_switch_does(tmp_path):
    assert word_of(tmp_path) == ""
    switch = KillSwitch(tmp_path).prepare()
    assert word_of(tmp_path) == ""
    switch.throw()
    assert word_of(tmp_path) == "halt"
    switch.throw(flatten=True)
    assert word_of(tmp_path) == "flatten"
    switch.lift()
    assert word_of(tmp_path) == ""
