from __future__ import annotations

import base64

from django.test import SimpleTestCase, override_settings

from purelymanage.crypto import (
    Malformed,
    MissingKey,
    Unreadable,
    key_of,
    seal,
    unseal,
)

OLD = "1:" + base64.b64encode(b"1" * 32).decode()
NEW = "2:" + base64.b64encode(b"2" * 32).decode()


@override_settings(ENCRYPTION_KEYS=OLD)
class SealTests(SimpleTestCase):
    def test_what_is_sealed_opens_again(self) -> None:
        sealed = seal("pässword,\n", bound_to="job:1")
        self.assertEqual(unseal(sealed, bound_to="job:1"), "pässword,\n")
        self.assertNotIn("ssword", sealed)

    def test_the_same_text_never_looks_the_same(self) -> None:
        self.assertNotEqual(seal("x", bound_to="job:1"), seal("x", bound_to="job:1"))

    def test_it_does_not_open_in_another_row(self) -> None:
        sealed = seal("x", bound_to="job:1")
        with self.assertRaises(Unreadable):
            unseal(sealed, bound_to="job:2")

    def test_a_changed_byte_is_noticed(self) -> None:
        key_id, _, text = seal("password", bound_to="job:1").partition(":")
        raw = bytearray(base64.b64decode(text))
        for place in range(len(raw)):
            broken = bytearray(raw)
            broken[place] ^= 1
            text = base64.b64encode(broken).decode()
            with self.subTest(place=place), self.assertRaises(Unreadable):
                unseal(f"{key_id}:{text}", bound_to="job:1")

    def test_rubbish_is_unreadable(self) -> None:
        for text in ("", "1:", "1:AAAA", "1:%%%", "no colon"):
            with self.subTest(text=text), self.assertRaises(Unreadable):
                unseal(text, bound_to="job:1")

    def test_an_old_key_still_opens_and_the_first_one_seals(self) -> None:
        sealed = seal("x", bound_to="job:1")
        with override_settings(ENCRYPTION_KEYS=f"{NEW},{OLD}"):
            self.assertEqual(unseal(sealed, bound_to="job:1"), "x")
            self.assertTrue(seal("x", bound_to="job:1").startswith("2:"))

    def test_a_text_whose_key_is_missing_is_not_given_up(self) -> None:
        sealed = seal("x", bound_to="job:1")
        with override_settings(ENCRYPTION_KEYS=NEW), self.assertRaises(MissingKey):
            unseal(sealed, bound_to="job:1")
        self.assertFalse(issubclass(MissingKey, Unreadable))

    def test_a_sealed_text_names_its_key(self) -> None:
        self.assertEqual(key_of(seal("", bound_to="job:1")), "1")
        # Nothing else is taken for one, or a text could be printed as a key's id.
        for text in ("", "1:", "pass:word", "a secret", "1:" + "A" * 60 + ":"):
            self.assertIsNone(key_of(text))

    def test_a_key_of_the_wrong_length_stops_everything(self) -> None:
        with (
            override_settings(ENCRYPTION_KEYS="1:c2hvcnQ="),
            self.assertRaises(Malformed),
        ):
            seal("x", bound_to="job:1")

    def test_two_keys_with_one_id_stop_everything(self) -> None:
        with (
            override_settings(ENCRYPTION_KEYS=f"{OLD},1:{NEW[2:]}"),
            self.assertRaisesRegex(Malformed, "two keys with the id '1'"),
        ):
            seal("x", bound_to="job:1")
