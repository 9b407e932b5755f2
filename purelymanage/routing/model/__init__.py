"""Where mail goes: the rules of PurelyMail as pure functions, without a database."""
