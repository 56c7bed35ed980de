"""Text embeddings on disk, so that a CLIP embeds a text once.

A folder belongs to one CLIP with its weights and one set of templates. It holds *banks*:
safetensors files that are never changed, each with the embeddings of some texts, so that a name
more in a vocabulary of 20,000 is embedded and written alone. Small banks are put together when
another is written. A file's metadata says which CLIP, templates and texts it is of, and has a
checksum.

Nothing here is needed: what is missing or damaged is embedded again, and what cannot be written
is not. Any process may read, write and delete at any time.

Glossary: T texts, C channels.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

import safetensors.torch
import torch
from mmdet.registry import TASK_UTILS
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..utils.digest import fingerprint
from ..utils.files import write_whole
from ..utils.paths import cache_folder

FORMAT = 'ovsam text embeddings 1'
# Texts of a bank that is no longer put together with others, and of one step of long work.
BANK_SIZE = 1024


@TASK_UTILS.register_module()
class TextEmbeddingCache:
    """Banks of all CLIPs and templates.

    Args:
        folder: Where; :func:`~ovsam.utils.paths.cache_folder` if not given. It is made when
            something is written.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        root = cache_folder() if folder is None else Path(folder)
        self.folder = root / 'text_embeddings'

    def banks(self, encoder: str, templates: Sequence[str]) -> TextBanks:
        """Those of a text encoder, known by its fingerprint, and templates."""
        return TextBanks(self.folder, encoder, templates)


class TextBanks:
    """The banks of one text encoder and one set of templates.

    Args:
        folder: Of the whole cache.
        encoder: Fingerprint of the text encoder: another one if it embeds differently.
        templates: What texts are put into.
    """

    def __init__(self, folder: Path, encoder: str, templates: Sequence[str]) -> None:
        self._identity = {
            'format': FORMAT,
            'encoder': encoder,
            'templates': json.dumps(list(templates)),
        }
        self.folder = folder / fingerprint(self._identity)[:16]

    def read(self, texts: Iterable[str]) -> dict[str, Tensor]:
        """Embeddings (C,) by text, of those of the texts that are there."""
        missing, found = set(texts), {}
        for path in self._paths():
            rows = self._read_bank(path, missing)
            found.update({text: rows[text] for text in missing & rows.keys()})
            missing -= rows.keys()
        return found

    def write(self, embeddings: Mapping[str, Tensor]) -> None:
        """Keep embeddings (C,) by text; with a warning instead where that is impossible."""
        new = {text: row.detach().float().cpu() for text, row in embeddings.items()}
        small = (
            {}
            if len(new) >= BANK_SIZE
            else {path: self._read_bank(path, below=BANK_SIZE) for path in self._paths()}
        )
        folded = {path: rows for path, rows in small.items() if rows}
        rows = {text: row for part in (*folded.values(), new) for text, row in part.items()}
        texts = json.dumps(list(rows))
        target = self.folder / f'{fingerprint(list(rows))[:16]}.safetensors'
        tensors = {'embeddings': torch.stack(list(rows.values()))}
        metadata = {**self._identity, 'texts': texts, 'sha256': fingerprint(None, tensors)}
        try:
            write_whole(target, safetensors.torch.save(tensors, metadata))
            for path in folded.keys() - {target}:
                path.unlink(missing_ok=True)
        except OSError as error:
            _warn(
                f'text embeddings cannot be kept in {self.folder} and are made again next time '
                f'({error}); set OVSAM_CACHE to a folder for them'
            )

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob('*.safetensors'))

    def _read_bank(
        self, path: Path, wanted: Set[str] | None = None, below: int | None = None
    ) -> dict[str, Tensor]:
        """Embeddings by text, all of a bank; a damaged one is removed.

        None if it has nothing that is wanted, or is not below that size.
        """
        try:
            # Opened once: torch would open it again, when another process may have deleted it.
            with safe_open(path, 'np') as bank:
                metadata = bank.metadata() or {}
                texts = self._checked_texts(metadata)
                if wanted is not None and wanted.isdisjoint(texts):
                    return {}
                if below is not None and len(texts) >= below:
                    return {}
                table = torch.from_numpy(bank.get_tensor('embeddings'))
            if table.dim() != 2 or table.dtype != torch.float32 or len(table) != len(texts):
                raise ValueError(f'{len(texts)} texts, but {table.dtype} {tuple(table.shape)}')
            if fingerprint(None, {'embeddings': table}) != metadata.get('sha256'):
                raise ValueError('its content has not the checksum that it was written with')
        except FileNotFoundError:  # another process has put it together with others
            return {}
        except OSError as error:
            _warn(f'{path} cannot be read and is passed over ({error})')
            return {}
        except (SafetensorError, TypeError, ValueError, KeyError) as error:
            _warn(
                f'{path} is not the bank of text embeddings that belongs there ({error}); it is '
                'removed, and what is needed of it made again'
            )
            with contextlib.suppress(OSError):
                path.unlink()
            return {}
        return dict(zip(texts, table))

    def _checked_texts(self, metadata: Mapping[str, str]) -> list[str]:
        for key, value in self._identity.items():
            if metadata.get(key) != value:
                raise ValueError(f'its {key} is not that of the folder')
        return json.loads(metadata['texts'])


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=4)
