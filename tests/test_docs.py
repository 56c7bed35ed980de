"""Every link in the README and docs leads somewhere, and every shell line is one that works.

Lines that can run offline in seconds run, on the shipped weights. The others carry a comment with
what they need, and the real parser of their program reads them. Options of sbatch, srun and
torchrun themselves are not looked at.
"""

import argparse
import contextlib
import importlib
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path

import cv2
import pytest
import setuptools
from packaging.requirements import Requirement

import ovsam_cli
from ovsam.apis import OVSAMPredictor
from ovsam.serving.page.samples import photograph
from tools import demo_photographs

from . import shell_lines
from .shell_lines import NEEDS, PAGES, ROOT, ShellLine

# Those that the pages speak of.
PICTURES = (
    'photo.jpg',
    'photos/a.jpg',
    'frames/0.png',
    'frames/1.png',
    'data/sa1b/sa_000000/sa_1.jpg',
)
IN_REPOSITORY = ('configs/', 'tools/', 'tests/', 'docs/', 'requirements/', 'checkpoints/mini/')
WITH_VARIABLES = [ROOT / 'Makefile', ROOT / 'CONTRIBUTING.md', *(ROOT / 'tools').glob('*.sh')]
pages = pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)


@pages
def test_links_and_anchors_resolve(page):
    broken = []
    for target in shell_lines.links(page):
        path, _, anchor = target.partition('#')
        file = page.parent / path if path else page
        known = not anchor or anchor in shell_lines.anchors(file.read_text(encoding='utf-8'))
        if not file.exists() or not known:
            broken.append(target)
    assert broken == []


@pages
def test_tables_have_as_many_columns_as_their_heads(page):
    """Others are shown as text."""
    lines = page.read_text(encoding='utf-8').splitlines()
    odd = [
        head
        for head, rule in zip(lines, lines[1:])
        if re.fullmatch(r'\|[-:| ]*---[-:| ]*\|', rule)
        and len(re.findall(r'(?<!\\)\|', head)) != rule.count('|')
    ]
    assert odd == []


def test_the_package_is_installed_from_a_folder():
    """No package index has it, so ``pip install ovsam`` would fail, or bring something else."""
    wrong = re.compile(r'pip install (?:-\S+ )*["\']?ovsam\b|\bovsam\[[a-z]')
    files = [*PAGES, *(ROOT / 'projects').rglob('*.py'), *(ROOT / 'tools').glob('*.[ps][yh]')]
    texts = {file: file.read_text(encoding='utf-8') for file in files}
    assert wrong.search('pip install "ovsam[app]"') and wrong.search('pip install --no-deps ovsam')
    assert [str(file) for file, text in texts.items() if wrong.search(text)] == []


def test_pages_that_code_and_other_files_name_are_there():
    named = {}
    for folder in ('projects', 'tools', 'configs', 'tests', '.github', '.ci'):
        for path in (ROOT / folder).rglob('*'):
            if path.suffix in ('.py', '.sh', '.yml', '.txt'):
                text = path.read_text(encoding='utf-8')
                named |= dict.fromkeys(re.findall(r'docs/[\w-]+\\?\.md', text), path)
    for path in ('CONTRIBUTING.md', 'CHANGELOG.md', 'Makefile'):
        text = (ROOT / path).read_text(encoding='utf-8')
        named |= dict.fromkeys(re.findall(r'docs/[\w-]+\.md', text), path)
    missing = {page for page in named if not (ROOT / page.replace('\\', '')).exists()}
    assert named and missing == set()


class Parsed(BaseException):
    """The arguments are right; what comes after is not wanted."""


@pytest.fixture
def only_parsed(monkeypatch):
    """Programs end when their parser has read the arguments."""
    parse = argparse.ArgumentParser.parse_args

    def parse_args(self, *args, **kwargs):
        parse(self, *args, **kwargs)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse_args)


@pytest.fixture(scope='module')
def extras():
    """The extras that setup.py declares."""
    declared = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr(setuptools, 'setup', lambda **kwargs: declared.update(kwargs))
        runpy.run_path('setup.py')
    return set(declared['extras_require'])


@pytest.fixture(scope='module')
def started(tmp_path_factory):
    """Runs a launch script where python and srun print their arguments; those from the tool on."""
    folder = tmp_path_factory.mktemp('programs')
    for name in ('python', 'srun'):
        (folder / name).write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        (folder / name).chmod(0o755)

    def run(words):
        ended = subprocess.run(
            ['bash', *words],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={'PATH': f'{folder}:/usr/bin:/bin', 'SLURM_JOB_ID': '1'},
        )
        assert ended.returncode == 0, ended.stderr
        printed = ended.stdout.splitlines()
        tool = next(at for at, word in enumerate(printed) if word.endswith('.py'))
        return ['python', f'tools/{Path(printed[tool]).name}', *printed[tool + 1 :]]

    return run


def without_variables(words) -> list[str]:
    """The command without what is set before it; the names must be read somewhere."""
    while words and (name := re.match(r'(\w+)=', words[0])):
        assert any(name[1] in file.read_text(encoding='utf-8') for file in WITH_VARIABLES), name[1]
        words = words[1:]
    return words


def made(words) -> list[list[str]]:
    """The Python commands of a make target, by make itself."""
    ended = subprocess.run(
        ['make', '--dry-run', '--no-print-directory', *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, 'MAKEFLAGS': ''},
    )
    assert ended.returncode == 0, ended.stderr
    recipes = ended.stdout.replace('\\\n', ' ').splitlines()
    found = [
        without_variables(line.split())
        for line in recipes
        if re.search(' tools/| -m ovsam_cli', line)
    ]
    return [['python', *words[1:]] for words in found if words[1] != 'tools/bootstrap.py']


def programs(words, started, extras) -> list[tuple]:
    """What a command comes to: functions with a main, each with its arguments.

    Raises:
        AssertionError: it cannot be right.
    """
    for path in '='.join(words).split('='):
        assert not path.startswith(IN_REPOSITORY) or (ROOT / path).exists(), path
    words = without_variables(words)
    program, *rest = words or ['export']
    if program == 'sbatch':
        script = next(at for at, word in enumerate(rest) if word.endswith('.sh'))
        program, *rest = rest[script:]
    if program in ('torchrun', 'srun'):
        tool = next(at for at, word in enumerate(rest) if word.endswith('.py'))
        return programs(['python', *rest[tool:]], started, extras)
    if program == 'tools/slurm_ray.sh':
        return programs(['ovsam', 'annotate', *rest], started, extras)
    if program.endswith('.sh'):
        return programs(started([program, *rest]), started, extras)
    if program.endswith('.py'):
        return programs(['python', *words], started, extras)
    if program == 'make':
        return [each for line in made(rest) for each in programs(line, started, extras)]
    if program == 'ovsam':
        return [(ovsam_cli.main, rest)]
    if program == 'pytest' or ' '.join(rest).startswith(('-m pytest', 'tests/')):
        return []  # the paths have been looked at
    if program == 'python' and rest[0] == '-m':
        return [(importlib.import_module(rest[1]).main, rest[2:])]
    if program == 'python':
        assert re.fullmatch(r'tools/\w+\.py', rest[0]), rest[0]
        return [(importlib.import_module(rest[0][:-3].replace('/', '.')).main, rest[1:])]
    if program == 'pip':
        assert rest[0] == 'install'
        wanted = Requirement(re.sub(r'^\.', 'ovsam', rest[1]))
        assert wanted.name != 'ovsam' or wanted.extras <= extras, rest[1]
        return []
    if program == 'export':
        name = rest[0].partition('=')[0] if rest else ''
        assert not rest or name in (ROOT / 'projects/ovsam/commands/serve.py').read_text()
        return []
    if program == 'cvat-cli':  # not installed here
        given = [rest[at + 1].partition('=')[0] for at, word in enumerate(rest) if word == '-p']
        source = (ROOT / 'projects/ovsam/serving/cvat.py').read_text()
        assert given and all(f'\n    {name}: str' in source for name in given), given
        return []
    assert program in ('apt-get', 'scontrol'), f'no test knows the program {program}'
    return []


def every_line():
    for page in PAGES:
        yield from shell_lines.shell_lines(page)
        yield from shell_lines.shell_spans(page)


@pytest.mark.parametrize('line', every_line(), ids=lambda line: line.place)
def test_arguments_are_those_of_the_program(line: ShellLine, only_parsed, started, extras):
    assert line.needs is None or line.needs in NEEDS
    for main, arguments in programs(line.words, started, extras):
        with contextlib.suppress(Parsed):
            try:
                assert main(arguments) == 0
            except SystemExit as end:
                assert not end.code, str(line)


ran: set[tuple] = set()  # a line of several pages runs once


@pytest.fixture
def workplace(tmp_path, small_world, monkeypatch):
    """A folder with what the pages speak of: a picture, a folder of pictures, the small world.

    Everything mode takes 4 x 4 points, where the small world's config has more.
    """
    from tools import demo

    for name in ('configs', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / 'checkpoints').mkdir()
    for name in ('mini', 'photo'):
        (tmp_path / 'checkpoints' / name).symlink_to(ROOT / 'checkpoints' / name)
    shutil.copytree(ROOT / 'docs', tmp_path / 'docs', ignore=shutil.ignore_patterns('*.jpg'))
    (tmp_path / 'data').mkdir()
    shutil.copytree(small_world, tmp_path / 'data/pictograms')
    picture = demo.draw_scene(0, 0).image[..., ::-1]
    for name in PICTURES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), picture)
    (tmp_path / 'demo_out').mkdir()
    shutil.copy(photograph('coffee'), tmp_path / 'demo_out')
    build = OVSAMPredictor.__init__

    def with_few_points(self, *args, **kwargs):
        build(self, *args, **kwargs)
        self.model.everything = {**self.model.everything, 'points_per_side': 4}

    monkeypatch.setattr(OVSAMPredictor, '__init__', with_few_points)
    monkeypatch.chdir(tmp_path)
    for name in ('OVSAM_PICTOGRAMS', 'OVSAM_MINI_WEIGHTS', 'OVSAM_CHECKPOINTS'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('LOCAL_RANK', '0')


def edit_names():
    """Few of many names are left, as of a file to edit: to read all of them takes long."""
    path = Path('data/names.json')
    if path.exists() and len((content := json.loads(path.read_text()))['names']) > 20:
        names = content['names'][:20]
        content['split'] = {part: [*{*some} & {*names}] for part, some in content['split'].items()}
        kept = {name: content['synonyms'][name] for name in names}
        path.write_text(json.dumps({**content, 'names': names, 'synonyms': kept, 'seen': names}))


@pages
def test_lines_run(page, workplace, started, extras, capsys):
    for line in shell_lines.shell_lines(page):
        if line.needs is not None or tuple(line.words) in ran:
            continue
        for main, arguments in programs(line.words, started, extras):
            if main is demo_photographs.main:  # a test of its own runs the same
                continue
            try:
                status = main(arguments)
            except SystemExit as end:  # of --help
                status = end.code
            assert not status, f'{line}\n{capsys.readouterr().err}'
        edit_names()
        ran.add(tuple(line.words))


@pages
def test_python_runs(page, workplace):
    """Blocks that begin with an import, or with a predictor; configs are only compiled."""
    names = {}
    for place, code, needs in shell_lines.python_blocks(page):
        compiled = compile(code, place, 'exec')
        if needs is None and code.startswith(('from ', 'predictor = ')):
            exec(compiled, names)


def test_what_counts_as_a_shell_line():
    text = (
        'words\n\n<!-- needs: data -->\n```sh\nX=1 make a \\\n    b  # why\n\n'
        'ovsam x\n```\n```\nmake c\n```\n```\ndata/\n```\n'
    )
    found = shell_lines.shell_lines(Path('page.md'), text)
    assert found == [
        ('page.md:5', ['X=1', 'make', 'a', 'b'], 'data'),
        ('page.md:8', ['ovsam', 'x'], 'data'),
        ('page.md:11', ['make', 'c'], None),
    ]
    assert shell_lines.anchors('# A `b`, [c](d)\n## A b c\n# ***\n') == {'a-b-c', 'a-b-c-1', ''}


@pytest.mark.parametrize(
    'wrong',
    [
        'ovsam predict a.jpg --pointt 1,1',
        'ovsam predict',
        'python tools/test.py configs/none.py',
        'tools/dist_train.sh configs/mini/clip.py',
        'make everything',
        'pip install ".[apps]"',
        'OVSAM_NONE=1 make demo',
        'format C:',
    ],
)
def test_wrong_lines_are_found(wrong, only_parsed, started, extras):
    with pytest.raises((AssertionError, SystemExit)):
        for main, arguments in programs(shlex.split(wrong), started, extras):
            with contextlib.suppress(Parsed):
                main(arguments)
