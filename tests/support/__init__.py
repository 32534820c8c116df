"""What tests build with: settings, clock, builders, fakes that behave. No mocks of our code."""
