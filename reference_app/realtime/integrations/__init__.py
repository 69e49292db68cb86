"""The same tokens in other libraries, each module for the one that it is named after."""
