//! Programs that must compile, and programs that must not, each with its errors.
