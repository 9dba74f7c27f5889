"""Names of people: invented, and each given once unless two people shall share one.

What belongs here: words and how they are combined. What does not: who bears them (`people`).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Texts: TypeAlias = npt.NDArray[np.str_]

_FULL = """
Amara Okafor|Jonas Petersen|Mei-Ling Tan|Lucía Fernández|Henrik Lindqvist|Priya Raghavan
Tobias Brandt|Aisha Rahman|Matteo Conti|Ewa Nowicka|Samuel Adeyemi|Hannah Voss|Kenji Morimoto
Carla Ribeiro|Björn Hansen|Leila Haddad|Nikolai Sorokin|Grace Whitfield|Arjun Deshpande
Sophie Lefèvre|Dmitri Volkov|Yara Mansour|Lukas Ahrens|Wei Zhang|Ingrid Solberg|Kofi Mensah
Elena Popescu|Farid Azizi|Nora Janssen|Diego Castillo|Fatima Zahra|Oliver Grant|Sunita Iyer
Jan Kowalski|Chloe Bennett|Rashid Karimi|Maja Horvat|Thabo Nkosi|Katrin Schuster|Luis Navarro
Anh Nguyen|Peter Dunne|Zeynep Arslan|Marek Dvořák|Olivia Chen|Emeka Eze|Silke Harms
Ravi Pillai|Isabel Moreno|Gustav Nyberg|Hye-jin Park|Daniel Cohen|Noor Malik|Stefan Kruse
Adaeze Obi|Tom Gallagher|Mariana Costa|Ivo Petrov|Linh Tran|Karl Behrens|Aylin Demir
Joseph Mwangi|Rosa Vitale|Erik Halvorsen|Shreya Menon|Hugo Delacroix|Salma Idris|Felix Lorenz
Mina Takahashi|Abdul Qureshi|Clara Weiss|Pedro Almeida|Ngozi Balogun|Anton Berg|Layla Nasser
"""
"""The people of the old story, in this order."""
_MORE_FIRST = """
Alma Bruno Celia Dorian Edda Fiona Gero Helga Imran Jasper Keiko Levin Mila Nadia Oskar Paula
Quentin Renata Sven Tamar Ulrike Vera Wanda Xenia Yusuf Zora Alan Bianca Cyril Dana Elias Flora
Georg Hadley Inga Jorge Kira Laurent Meera Nils Odette Pavel Ramona Simon Tessa Uma Viktor Willa
Yannick Zofia Agnes Basil Corinna David Esra Florian Gwen Hassan Irene Jules
"""
_MORE_LAST = """
Abbott Bauer Calder Dietrich Ekström Fischer Gruber Hartley Ibrahim Jensen Keller Larsen Meyer
Novak Olsen Pereira Quinn Rossi Schneider Thomsen Ueda Varga Winter Yilmaz Zeller Acosta Becker
Chaudhry Duarte Evans Fontaine Gomez Hofer Ito Jung Khan Lehmann Martin Nilsson Osei Peters Reyes
Sato Torres Ullrich Vogel Wagner Young Zimmer Ansari Bernard Cruz Doyle Engel Frank Garcia Herrera
Ivanova Jacobs Kaya
"""
_INITIALS = "ABCDEFGHJKLMNPRSTVW"


def _split() -> tuple[list[str], list[str]]:
    full = [name.split(" ", 1) for line in _FULL.split("\n") for name in line.split("|") if name]
    return [first for first, _ in full], [last for _, last in full]


STORY_FIRST, STORY_LAST = _split()
FIRST = [*STORY_FIRST, *_MORE_FIRST.split()]
LAST = [*STORY_LAST, *_MORE_LAST.split()]


def full_names(count: int, rng: np.random.Generator) -> tuple[Texts, Texts]:
    """(first names, last names) of `count` people, no full name twice.

    The first ones are those of the story; where all pairs are used up, a middle initial is added
    to the first name.
    """
    first, last = list(STORY_FIRST[:count]), list(STORY_LAST[:count])
    firsts, lasts = [np.array(first)], [np.array(last)]
    given, round_number = len(first), 0
    while given < count:
        pairs = rng.permutation(len(FIRST) * len(LAST))
        of_first, of_last = np.divmod(pairs, len(LAST))
        if round_number == 0:
            fresh = (of_first != of_last) | (of_first >= len(STORY_FIRST))
            of_first, of_last = of_first[fresh], of_last[fresh]
        wanted = min(count - given, len(of_first))
        initial = f" {_INITIALS[round_number - 1]}." if round_number else ""
        firsts.append(np.array([name + initial for name in FIRST])[of_first[:wanted]])
        lasts.append(np.array(LAST)[of_last[:wanted]])
        given, round_number = given + wanted, round_number + 1
    return np.concatenate(firsts), np.concatenate(lasts)
