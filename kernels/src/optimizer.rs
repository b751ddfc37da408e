//! Optimiser steps.
